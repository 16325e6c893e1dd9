/** Exit codes of the command line, as documented in docs/errors.md. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  connection: 4,
  check: 5,
  conflict: 6,
  rejected: 7,
  unknown: 8,
  interrupted: 130,
} as const
