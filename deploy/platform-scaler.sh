#!/usr/bin/env bash
# Sets the number of decoders on a platform that cannot scale workers by itself (Heroku scales only web). Let a timer elsewhere
# run it every minute, with REDIS_URL set. It takes the largest of the last ten numbers, so the fleet shrinks late.
#   APP=earshot-production deploy/platform-scaler.sh
set -euo pipefail
cd "$(dirname "$0")/.."
seen=${SCALER_STATE:-/tmp/earshot-scaler-$APP}
wanted=$(scripts/autoscale --loops "${DECODER_LOOPS:-2}" --least "${LEAST:-1}" --most "${MOST:-50}")
echo "$wanted" >>"$seen"
tail -n 10 "$seen" >"$seen.new" && mv "$seen.new" "$seen"
most=$(sort -n "$seen" | tail -n 1)
heroku ps:scale "decoder=$most" --app "$APP"
