// Says in which time zone the moments on a page are: the viewer's.

import { _ } from "./wording/language.js";

for (const place of document.querySelectorAll("[data-zone]")) {
  place.textContent = _("Times: {zone}.", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
}
