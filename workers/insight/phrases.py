"""What callers and agents say in service calls, and what it tells about the mood: written for this product.

A group is one meaning. `valence` is what it adds to the speaker's polarity before squashing (see analyzer.py),
from +-0.1 (a hint) to +-1 (said once, it decides). `reason` is shown to the supervisor. A hit silences the word
lexicon for the tokens it covers, so a group of valence 0 takes a formula's nice words out of the reckoning.
The pattern language is that of phrasebook.py.
"""

from __future__ import annotations

from typing import NamedTuple


class Group(NamedTuple):
    """Phrases of one meaning. kind: a short name for programs. opener: only counts as the first words said."""

    kind: str
    valence: float
    reason: str
    patterns: tuple[str, ...]
    opener: bool = False


CUSTOMER: tuple[Group, ...] = (
    Group("repeat_contact", -0.85, "has had to come back or say it again", (
        "(this is|that is|it is|for) [now] [my|the|like the] (2nd|3rd|4th|5th|6th|7th|8th|9th|10th) [time|call|attempt|day|week]",
        "(2nd|3rd|4th|5th|6th|7th|8th|9th|10th) (time|call|attempt|engineer|person|agent|letter|email)",
        "(have|had) (to call|called|rung|phoned|emailed|written|contacted|told|explained|asked|been told|complained) *4 "
        "(# times|twice|repeatedly|already|several times|many times|before)",
        "(called|rang|phoned|emailed|wrote|contacted|told|explained|asked) *3 (# times|twice|repeatedly|several times|many times|before)",
        "(already|literally|only|literally just|i just) (told|said|explained|asked|answered|mentioned|given|gave|gone through)",
        "have already (done|tried|sent|checked|paid|called|been|spoken|changed|restarted|filled|provided)",
        "how many (more|times)", "keep (calling|having to|asking|repeating|getting|ringing|telling)",
        "every (time|day|week|month) i (call|ring|phone|ask|try|log)", "over and over", "again and again",
        "time and (time again|again)", "yet again", "once again", "one more time", "same (thing|issue|problem|fault|question|story) again",
        "(as|like) i [have|already|just] (said|told|mentioned|explained)", "i (said|told) you", "i did that (already|with|last|before|yesterday)",
        "that is what you (said|told|promised)", "repeat* myself", "passed (around|from)", "start from the beginning", "start all over",
        "(first|1st) person *2 (second|2nd) person", "going (round|around) in circles", "you people asked", "your colleague (asked|told|said|promised)",
    )),
    Group("waiting", -0.65, "complains of waiting", (
        "(been|be|am) on hold", "(on|in) hold (for|again|since)", "(put|putting|leave|left|kept|keep*) me on hold", "put * back on hold",
        "(been|still|am|kept|keep*) waiting", "waiting (for|since) *2 (hours|days|weeks|months|ages|year|years)", "waited *2 (hours|days|weeks|months|ages|minutes)",
        "(for|in) (ages|hours|weeks|months|years)", "been *4 for # [and a half] (minutes|hours|days|weeks|months|years)", "(waiting|waited|trying|calling|holding|queuing|ringing) *3 for # (minutes|hours|days|weeks|months)", "(over|more than) # (minutes|hours|days|weeks|months)",
        "how (much longer|long will|long is this|much more time)", "(takes|taking|taken|took) (so long|too long|forever|ages)",
        "(have|got) not got all (day|morning|afternoon|night|week)", "have not [got] all (day|afternoon|morning)", "not have all (day|afternoon|morning)",
        "is (anybody|somebody|anyone) (there|listening)", "(are you|you) still there", "hurry up", "been at this",
    )),
    Group("not_delivered", -0.6, "says it was promised and has not come", (
        "(was|were|is) (supposed|meant) to *6 (not|never|still|but)", "(was|were) (supposed|meant) to",
        "(never|not) (arrived|arrive|came|come|turned up|turn up|showed up|show up|received|receive|delivered|appeared|appear|heard back|hear back|got a reply|called back|call back|called me back|call me back)",
        "still (not|no|nothing|never|have not|has not|waiting)", "have not (received|heard from you|heard back|had a reply|got my|seen my)",
        "(nobody|no 1) [has] (came|come|called|helped|told|answered|answers|mentioned|replied|knows|cares|listens|bothered|wants|picked|showed|turned|responded)",
        "(nobody|no 1|none of you|nothing) (has|have|had|is|was) *2 (helped|help|done|working|happened|happening|changed|called|fixed|told|listening)",
        "promised", "was told (it|that|i|you|somebody|he|she|they)", "broken promises", "let me down", "(is|was|are) (late|overdue)",
        "should have (been|arrived|come|had|called|known)", "it should be in (your|the) notes", 
    )),
    Group("escalation", -0.9, "asks for someone in charge or to complain", (
        "(speak|talk|speaking|talking|put me through|get me|transfer me|escalate) [to|with] [a|an|the|your|my|some|another] "
        "(manager*|supervisor*|boss|superior*|team leader|senior)",
        "(somebody|person|people) (in charge|above you|higher up|more senior|competent|who knows|who can actually)", "(get|want|need|where is|who is|see) [me] [to see|to speak to] (your|a|the) (manager|supervisor|boss)",
        "(make|making|file|filing|lodge|raise|raising|put in|register) [a|an|another|my] [formal|official] complaint*", "want to complain", "complain* (about|to)",
        "escalate (this|it|my)", "(speak|talk) to (somebody|a real person|a human|an actual) [else]", "head office", "(your|a|the) (manager|supervisor|boss) [right] now",
    )),
    Group("cancellation", -0.75, "speaks of leaving", (
        "(cancel|canceling|close|closing|terminate|terminating|end|ending) [all of|all] (my|our|the|this) *1 (account*|contract|subscription|policy|membership|service|plan|agreement|direct debit)",
        "(want|would like|am going) to cancel", "cancel everything", "(take|taking) (my|our) (business|money|custom)",
        "(go|going|switch*|mov*|leav*|chang*) to (another|a different|a competitor|your competitor*|somebody else)", "go elsewhere",
        "(book|order|buy|go|sign up) (with|from) somebody else", "(going to|will) (hang up|leave you)", "leave (a|your|this) company", "(never|not) *3 (use|using|buy|shop|order|book|call|come|deal|do business) *3 (again|ever)",
        "lost (a|me as a) customer", "get rid of (this|it|the)", "(call|book) *1 it myself", "not hanging up",
    )),
    Group("refund", -0.55, "demands money back", (
        "(want|need|demand|get|give|getting|have|giving) [me] [back] [all] (my|our|the) money [back]", "(want|need|demand|expect|owed|due|request*) [a|an|my|the] [full] (refund|compensation)",
        "(where|when) is (my|the) (refund|money)", "(charged|billed) [me] (twice|again|double|wrong*|for something|too much|# times)", "money * back [today|now]",
        "rip off", "ripped off", "daylight robbery", "waste of (time|money)", "wast* my (time|money)",
    )),
    Group("legal_threat", -1.0, "threatens legal or public steps", (
        "(my|a|our) (lawyer|solicitor|attorney)", "(my|a) (lawyer|solicitor|attorney)", "(sue|suing) (you|them|your|the company)", "(legal|court) (action|proceedings|advice)", "take you to court", "small claims", "see you in court",
        "ombudsman", "trading standards", "consumer protection", "better business bureau", "(report|reporting) (you|this company|this to)", "(go|going) to the (press|papers|police|media|regulator)", "(leave|leaving|post|write) * [bad|1 star|negative] review",
    )),
    Group("disbelief", -0.65, "cannot believe it", (
        "are you (serious|kidding|joking|sure|quite sure|even listening|listening|having a laugh|out of your mind)", "(must|have got to|got to|have to) be (kidding|joking)", "hard to believe", "(can|do) not believe (this|it|you|that|how|what)",
        "beyond a joke", "is this (a joke|some kind of)", "what (the|on earth) (hell|heck|is|are|do)", "what is (going on|happening|wrong with you|the point|the problem)", "what [exactly] am i [exactly] paying [you]", "how (is|was) (that|this) (possible|even possible|acceptable|my problem|my fault)",
        "(does|do|makes|make) (not|no) make sense", "makes no sense", "not good enough", "not acceptable", "how (dare|hard can)", "seriously", "for (god is|goodness|heaven is|christ) sake", "for the love of god", "what do you mean", "why (is|does|do|can|did|was|have|has) *1 (not|nobody|never|no)", "is there (nothing|none|not)", "none at all",
        "what kind of (service|company|place|business)",
    )),
    Group("denial", -0.35, "denies having done it", ("i (did not|never|have not|have never) [even] (make|made|authorise|authorised|authorize|authorized|order|ordered|agree|agreed|ask for|asked for|sign|signed|buy|bought|subscribe|subscribed)",)),
    Group("dispute", -0.45, "contradicts what was said", (
        "no (it|that|they|he|she|you|there) (is|was|does|do|did|are|were|have|has|had|can|could|would) not", "that is (not|never) (true|right|correct|what|how|the|my|good|fair|an)", "not what i (asked|wanted|said|meant|need|ordered|requested|am looking|was looking)", "no i (meant|said|asked|wanted)",
        "you (said|told me|promised|just said|asked me)", "you (are|were) (not|lying|wrong|mistaken|ignoring|confusing)", "do you not (understand|listen|know|see|get)", "you (do|did|have|can) not (understand|listen|listening|know|care|even|answer|answered|help|helped|seem)", "(pay|paying) attention",
        "i (was|am) at home all", "my (fault|problem) (that|is|then)", "it is not my (fault|problem|job)", "you are supposed to", "you (should|ought to) *2 (know|have)", "the wrong (one|day|time|place|item|name|number|date|address|price)",
    )),
    Group("retort", -0.4, "snaps back", ("then [why] (what|how|get|ring|call|do|give|put|send|tell|who|let|find)", "so (what|why|how) *1 (am|is|are|do|does|can)"), opener=True),
    Group("failure", -0.5, "says it does not work", (
        "(does|do|did|is|are|was|were|will|would|can) not [even|really|actually|just] (work|working|load|connect|open|turn on|start|go through|respond|help|helping|helped|fix|solve)", "(stopped|stops|quit|not) working", "(keeps|kept|keep) (dropping|crashing|failing|cutting|disconnecting|going|breaking|freezing|saying|getting)",
        "(went|gone|goes|going) wrong", "cut off", "(is|have|had|got|getting|been) no (internet|signal|connection|service|power|water|heating|use|help|answer|reply|response|luck|idea)", "no (use|help) at all", "(out of order|fallen apart|fell apart|does nothing)", "unable to", "(got|get) nowhere", "did not (help|work)", "makes (it|things) worse",
    )),
    Group("fed_up", -0.95, "is at the end of their patience", (
        "fed up", "(sick|tired) of", "sick and tired", "had enough", "(lost|losing|running out of|run out of) patience", "(at|reached) * (wits|my) end", "last straw", "do not know what (else|to do)", "drives me (mad|crazy|insane)", "driving me (mad|crazy|insane|up the wall)",
        "stop (lying|interrupting|talking|it|wasting|telling|asking|giving)", "(do not|how) dare you", "shut up", "do not (tell|lie|talk|speak) [to] me", "do not you (dare|tell)", "do not put me", "leave me alone", "forget it", "never mind", "no no no", "how (is|are) (that|this|you) (helpful|helping|going to help)",
    )),
    Group("sarcasm", -0.75, "sounds sarcastic", (
        "how (refreshing|convenient|very kind|generous|thoughtful|surprising|reassuring|wonderful for you|nice for you|clever)", "(thanks|thank you) for (nothing|the non|that useless)", "(oh|well) that is just (great|perfect|wonderful|brilliant|lovely|fantastic)", "just (great|perfect|wonderful|brilliant|fantastic|marvelous|peachy|what i needed)", "(great|perfect|wonderful|brilliant|fantastic|lovely) (so now|so it|so you|so we|so i|so that|so there|another|more|just)",
        "(great|wonderful|brilliant|perfect) help you (are|have been)", "i do [just|so] love (watching|waiting|how|when|being|it when|holding|listening|talking)", "what a surprise", "surprise surprise", "how lucky", "lucky me", "big help that", "good luck with that", "most useful thing (anybody|anyone) has", "as if", "yes right", "if you say so", "i am sure you (are|do|will|have)", "well done you", "call that (service|help|support)",
    )),
    Group("distress", -0.4, "is worried or in trouble", (
        "(really|so|very|am|i am) (worried|scared|frightened|anxious|stressed|desperate)", "oh no", "(i can not|can not) (afford|cope|sleep|breathe|manage)", "do not know (how|what|where) *3 (do|going|pay|turn)", "(going|am i) to lose", "(in|a lot of) (trouble|pain|debt)", "everything i have", "(everything|all) i have got", "feel * stupid", "do not (understand|follow|get it)", "(need|want) (this|it|my *1) (urgently|asap|today|now)", "it is urgent", "as soon as possible",
    )),
    Group("dislike", -0.55, "does not like it", (
        "(do|does|did) not [really|even|actually|particularly|much|ever] (want|like|love|enjoy|care for|appreciate|interest|suit|appeal)", "not [really|much of|exactly|particularly] (interested|a fan|a big fan|a huge fan|for me|my thing|my cup|my taste|my favorite|my style|into|fond|keen|impressed|crazy about|acceptable|good|great|worth)", "can not stand", "hate*", "(was|were|is|are) not (that|very|so|too|really|all that) (good|great|funny|nice|helpful|interesting|happy|pleased)", "too (much|many|long|slow|expensive|late|far|complicated|boring|violent|scary|sad|loud|hard|old|weird)",
    )),
    Group("apology_self", 0.0, "", ("my (mistake|bad|fault|apologies)",)),
    Group("polite_refusal", -0.15, "", ("no (thanks|thank you)", "[no i] do not need anything else", "nothing else", "not (right now|at the moment|today|yet)")),
    Group("rejection", -0.3, "turns it down", (
        "do not [really|actually] (need|think so|think|agree)", "(not|no) (really|much of a|necessary|anymore|so much|sure about)", "rather not", "prefer not", "(would|will|could|can|is|was|does) not (work|do|help|suit|be necessary|be good|be a good|a good)",
        "not what i", "(something|anything|any other|another|some other) (else|else instead|different|better)", "not that (1|great|good|bad either)", "no i (do|did|can|could|would|will|am|was|have) not", "no i (need|want)",
    )),
    Group("correction", -0.22, "has to correct or insist", (
        "(no|sorry|but) [i] actually", "i actually (need|want|wanted|meant|do|just|would)", "i (really|do) (need|want)", "i (meant|mean)", "sorry but", "(no|sorry|no sorry) i [just|only|still] (need|want|am looking for|meant|would like|said)", "but (i|could you|can you|you|it|that|what)", "(try|check|look|search|do that|do it|ask) [it|that|this] again", "(can|could) you (try|check) *2 (again|another|different|other|for)", "instead", "i said", "i (just|only) (need|want|wanted|asked)", "i still (need|want|do|have)",
        "i do not care", "(are|is) there (really|any other|another)", "(ask|asked|asking) for *2 not", "how about *2 (instead|then)", "must be", "even if",
    )),
    Group("trouble", -0.2, "the talk is not going smoothly", ("sorry", "(i|my) apologi*", "excuse me", "pardon", "confus*", "misunderst*", "not (clear|understand|following)")),
    Group("alternative", -0.12, "", ("another", "a different", "(any|some) other", "instead", "either", "again", "actually")),
    Group("unknown_to_me", -0.15, "", (
        "(never|not) (heard|seen|tried|watched|used|been|had|sure|know|familiar)", "do not know", "(not|no) idea", "have not", "could not (say|tell|find)",
    )),
    Group("refusal_opener", -0.22, "begins with a no", ("no",), opener=True),
    Group("plain_request", 0.12, "", (
        "i (am looking for|would like|also need|also want|am also looking|will be)", "(can|could) you (help|tell|please help|book|recommend|suggest)", "(do|have) you (have|know|seen|like)", "what (is|are|about) (the|it|your)", "does (this|the|it|that) *1 (have|offer|allow|include|come)", "(hello|hi|hey) [there]", "how are you", "(also|as well)", "looking for",
    )),
    Group("assent", 0.22, "agrees", (
        "(yes|sure|okay) (please|that is|that would|sounds|i|it|thanks|thank)", "that (is|will be|would be|sounds|works) (fine|good|right|great|okay|all|it|everything|perfect|correct|lovely)", "(sounds|looks) (good|great|fine|perfect|nice|interesting|fun|like)", "of course", "no (problem|problem at all|worries|rush|hurry|complaints|trouble|bother)", "works for me", "i see", "that will (do|be all|work)", "not (bad|too bad|a problem|to worry)", "(got|get) it", "makes sense", "fair enough", "you too", "(i will|will) (check|try|watch|look|definitely|have to|give|take|add|go with)", "do not worry", "(have|has) a (good|great|nice|lovely) (day|evening|weekend|afternoon|night|1|time)", "take care", "can not (wait|complain)", "could not be (better|happier|easier)",
        "i [really|also|do|would|absolutely|just] love*", "i (really|also) (like|liked|enjoy)", "i (like|liked|enjoyed)", "it was (good|great|fine|very good)",
    )),
    Group("thanks", 0.6, "thanks", (
        "(thanks|thank you|cheers)", "thank you (so|very) much", "(thanks|thank you) (so much|a lot|very much|again|for *3 help|for helping|for everything)", "many thanks", "i appreciate", "much appreciated", "that is (very|so|really) (kind|helpful|good) [of you]", "you have been * (kind|patient|helpful|great|wonderful|brilliant)", "you are [very|so|too] kind",
    )),
    Group("relief", 0.75, "is relieved or delighted", (
        "thank (goodness|god|heavens)", "(what|huge|big|such) [a] relief", "that is (a|such a) (huge|big|great) *1 relief", "that is (a|such a) [huge|great|big] (relief|weight|load)", "(feel|feeling) *1 better", "so (happy|pleased|glad|relieved|grateful)", "really (helped|pleased|happy|glad|grateful)", "(made|make) my day", "(you are|you have been) a (star|lifesaver|legend|life saver)", "saved (me|my)", "(all|is) sorted", "great (service|job|work|news)", "good news", "well done",
    )),
)  # fmt: skip

AGENT: tuple[Group, ...] = (
    Group("formula", 0.0, "", (
        "(thank you|thanks) for (calling|holding|waiting|ringing|contacting|your patience|your call|getting in touch|bearing|your time|choosing)", "good (morning|afternoon|evening|day)", "how (can|may|could) i (help|assist) [you]", "what can i do for you", "(is there|are there|do you need|was there) (anything|something) else", "anything else", "(i am|i am really|i am so|i am very|so|very|really) sorry", "sorry about that", "i apologi*", "my apologies", "have a (good|great|nice|lovely|wonderful) (day|1|evening|weekend|afternoon|night)", "please (hold|bear|wait|stay)", "bear with me", "you are welcome", "my pleasure", "no problem [at all]", "(great|lovely|perfect|brilliant|super|excellent|wonderful)", "(put|place) you on *2 hold", "your (security|safety|patience|cooperation)", "thank you", "thanks", "take care", "i (can|could) see",
    )),
    Group("care", 0.3, "the agent shows care", (
        "i [do|completely|totally|fully|really] understand", "(take|take all the) time you need", "take your time", "do not worry", "you are (right|in the right|through to the right)", "come to the right place", "it is not your fault", "(happens to|happen to) (everybody|careful|all of us|anybody|many)", "(happy|glad) to (help|do|see|check)", "(let me|i will) (sort|fix|take care of|help|look after|see what i can)", "of course", "i (have|am) *1 (blocked|blocking|refunded|refunding|sorted|booked|fixed|credited|waived|arranged)", "(quite|perfectly|totally) (alright|okay|fine|normal)", "please do not", "if you are unsure", "you have got it", "as a gesture", "full (amount|refund)", "all (updated|done|sorted|set|booked|fixed) [for you]", "congratulations",
    )),
    Group("unable", -0.3, "the agent says it cannot be done", (
        "(i|we) (can|could|am|are|would|will) not *2 (able|do|find|see|help|change|issue|give|refund|offer|book|get|access|allowed|make|cancel|tell|authorise|authorize|accept|provide|have)", "(i|we) (can|could) not", "(i am|we are|is|was|were|are) (unable|not able)", "nothing [else|more] [that] (i|we) can", "(there is|there are|we have|i have) (no|nothing|not any|none|not|0)", "unfortunately", "i am afraid", "not (possible|available|allowed|permitted|eligible|covered)", "(does|do|did) not (have|offer|allow|match|exist|meet|accept|provide|show|include)", "no *4 (available|match*|meet*|listed|listing*|fit*|left)", "not *2 (find|finding|found|seeing|show|showing)", "unsuccessful", "fully booked", "(already|all) (booked|taken|sold out|full)", "another (day|time|area|type|option)", "system *2 (down|slow|error)", "(you will|you would|you) (have|need) to (call|wait|contact|speak|write|go)",
    )),
    Group("cold", -0.5, "the agent sounds dismissive", (
        "calm down", "(not|is not) my (problem|fault|job|department|responsibility)", "as i [already|just] (said|told|explained|mentioned)", "like i said", "i [have] already (told|explained|said)", "(in|it is in|read) the (terms|small print|contract|terms and conditions)", "(that is|it is) (our|the|just) [company] policy", "you should have", "there is no need to (shout|swear|be rude|raise)", "you (are|have) (not listening|to listen|being rude|being unreasonable|confused|mistaken)", "(either|take) it or leave it", "(what|how) do you expect", "i do not (know|care)", "whatever", "that is [just] how it (is|works)", "nothing to do with (me|us)", "do you want *2 or not", "the system (says|shows)", "you must have", "by the way",
    )),
)  # fmt: skip
