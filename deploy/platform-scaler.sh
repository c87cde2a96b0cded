#!/usr/bin/env bash
# Sets the number of decoders on a platform without an autoscaler for workers (Heroku scales only web). Run it each minute
# from a timer outside, with REDIS_URL. A number that falls is only taken when it was that low ten times in a row.
#   APP=earshot-production deploy/platform-scaler.sh
set -euo pipefail
cd "$(dirname "$0")/.."
seen=${SCALER_STATE:-/tmp/earshot-scaler-$APP}
wanted=$(scripts/autoscale --loops "${DECODER_LOOPS:-2}" --least "${LEAST:-1}" --most "${MOST:-50}")
echo "$wanted" >>"$seen"
tail -n 10 "$seen" >"$seen.new" && mv "$seen.new" "$seen"
most=$(sort -n "$seen" | tail -n 1)
heroku ps:scale "decoder=$most" --app "$APP"
