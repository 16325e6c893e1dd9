import type { z } from 'zod'
import type { Issue } from '../error/millrace-error.js'

/** Why data was refused. */
export type DataFault = 'EVENT_DATA_INVALID' | 'EVENT_VERSION_UNKNOWN' | 'EVENT_UPCAST_FAILED'

/** The verdict on data: what the schema made of it, or what is wrong with it and where. */
export type DataCheck<Data> =
  | { readonly ok: true; readonly data: Data }
  | { readonly ok: false; readonly code: DataFault; readonly detail: string; readonly issues: readonly Issue[] }

// An array with a thousand wrong items needs no thousand issues in its dead letter.
const MOST_ISSUES = 50
const LONGEST_DETAIL = 500

/** Writes a path into JSON as a pointer (RFC 6901); the path of the whole is the empty text. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** What a schema found, as pointers into the data, the first fifty. Of a union it tells what the nearest member misses. */
export function issuesOf(error: z.core.$ZodError): readonly Issue[] {
  return error.issues
    .slice(0, MOST_ISSUES)
    .flatMap((issue) => flatten(issue, []))
    .slice(0, MOST_ISSUES)
}

function flatten(issue: z.core.$ZodIssue, base: readonly PropertyKey[]): readonly Issue[] {
  const path = [...base, ...issue.path]
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
    if (nearest !== undefined && nearest.length > 0) return nearest.flatMap((inner) => flatten(inner, path))
  }
  return [{ pointer: pointerTo(path), detail: issue.message.slice(0, LONGEST_DETAIL) }]
}

/** A member that fails deep inside was more likely meant than one that fails at once. */
function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.min(...issues.map((issue) => issue.path.length))
}
