// Moments of the API in tables.

import { MISSING, moment } from "../shared/wording/format.js";

/** An ISO moment as date and time in the viewer's zone. */
export const when = (iso) => (iso ? moment(Date.parse(iso)) : MISSING);
