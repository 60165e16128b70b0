/** Where a time zone's offset ends for PostgreSQL; those in use lie between −12 and +14 hours. */
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)$/i;
const DATE = /^(?!0000)\d{4}-\d\d-\d\d$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const YEAR_MAX = 9999;

/**
 * Formats that are narrower here than in JSON Schema: only what JavaScript and PostgreSQL both read, and read alike. That
 * leaves out the year 0000, leap seconds (`23:59:60Z`), times that are in the year 0 or 10000 in UTC, and `urn:uuid:…`.
 */
export const STORABLE_FORMATS = {
  date: isDate,
  "date-time": isInstant,
  uuid: (text: string) => UUID.test(text),
} as const satisfies Record<string, (text: string) => boolean>;

function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const midnight = new Date(`${text}T00:00:00Z`);
  // JavaScript takes the 30th of February for the 1st of March.
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

function isInstant(text: string): boolean {
  if (text[10]?.toUpperCase() !== "T" || !TIME.test(text.slice(11)) || !isDate(text.slice(0, 10)))
    return false;
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= YEAR_MAX;
}
