import { readFile } from 'node:fs/promises'
import type { Case } from './case.ts'

/** A file that has no cases; the message says why. */
export class UnreadableCases extends Error {
  readonly code = 'CASES_UNREADABLE'
}

/** The cases of a file: a JSON array. */
export async function readCases(path: string): Promise<Case[]> {
  let cases: unknown
  try {
    cases = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new UnreadableCases(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  if (!Array.isArray(cases)) throw new UnreadableCases(`${path}: not an array of cases`)
  for (const [at, each] of cases.entries()) {
    const problem = problemOf(each)
    if (problem !== undefined) throw new UnreadableCases(`${path}: case ${at}: ${problem}`)
  }
  return cases as Case[]
}

function problemOf(each: unknown): string | undefined {
  if (typeof each !== 'object' || each === null) return 'not an object'
  const { id, events, expected, expectError, kind, pattern, tree } = each as Record<string, unknown>
  if (typeof id !== 'string') return 'no id'
  if (!Array.isArray(events)) return `${id} has no events`
  if (!Array.isArray(expected) && expectError === undefined) return `${id} has no expected matches`
  if (kind === 'tree' ? tree === undefined : typeof pattern !== 'object' || pattern === null)
    return `${id} has no ${kind === 'tree' ? 'tree' : 'pattern'}`
  return undefined
}
