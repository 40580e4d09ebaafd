// Times as the server writes them: UTC, with no fraction, or one of 3, 6 or 9 digits.

/** The same time in a form that is ordered as text. */
const ordered = time => (time.includes('.') ? time.slice(0, -1) : `${time.slice(0, -1)}.`).padEnd(29, '0');

export const notAfter = (a, b) => ordered(a) <= ordered(b);

/** By `created_at`, then by id, as the server's pages are. */
export function newestFirst(a, b) {
  const times = [ordered(b.created_at), ordered(a.created_at)];
  const [left, right] = times[0] === times[1] ? [b.id, a.id] : times;
  return left < right ? -1 : left > right ? 1 : 0;
}
