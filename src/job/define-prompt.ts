import { createHash } from 'node:crypto'
import { fault } from '../error/millrace-error.js'

/** How long a provider keeps what comes before a mark. */
export type CacheLife = '5m' | '1h'

/** A part of a prompt; `{{customer.name}}` stands for a value of the input. */
export interface PromptPart {
  readonly text: string
  /** All up to here is kept by the provider, and read again for a tenth: put what does not change first. */
  readonly cache?: CacheLife
}

export interface PromptOptions {
  /** Letters, digits, `.`, `_` and `-`. */
  readonly id: string
  /** Counted from 1; raised with each change, so that people can name it. The hash tells when somebody forgot. */
  readonly version: number
  /** What is said before the conversation. */
  readonly system?: string | readonly (string | PromptPart)[]
  readonly user: string | readonly (string | PromptPart)[]
}

export interface PromptDeclaration {
  readonly kind: 'prompt'
  readonly id: string
  readonly version: number
  /** SHA-256 of all that it says, in 64 hexadecimal digits: recorded with each call. */
  readonly hash: string
  readonly system: readonly PromptPart[]
  readonly user: readonly PromptPart[]
}

const ID = /^[A-Za-z0-9][\w.-]{0,63}$/
const MOST_MARKS = 4

/**
 * Declares a prompt: its text with places for values of the input. What is put in is never read as a place again.
 *
 * @example
 * definePrompt({
 *   id: 'triage', version: 3,
 *   system: [{ text: RULES, cache: '1h' }],
 *   user: 'Customer {{customer.name}} paid {{amount}}. Is it fraud?',
 * })
 * @throws PROMPT_INVALID
 */
export function definePrompt({ id, version, system = [], user }: PromptOptions): PromptDeclaration {
  if (!ID.test(id)) throw fault('PROMPT_INVALID', `id ${JSON.stringify(id)}: letters, digits, ., _ and -, at most 64`)
  const invalid = (detail: string): never => {
    throw fault('PROMPT_INVALID', `${id}: ${detail}`)
  }
  if (!Number.isSafeInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  const parts = { system: partsOf('system', system, invalid), user: partsOf('user', user, invalid) }
  if (parts.user.length === 0) invalid('user is empty')
  const marks = [...parts.system, ...parts.user].flatMap(({ cache }) => (cache === undefined ? [] : [cache]))
  if (marks.length > MOST_MARKS) invalid(`${marks.length} parts have cache, at most ${MOST_MARKS} may`)
  if (marks.lastIndexOf('1h') > marks.indexOf('5m') && marks.includes('5m'))
    invalid("parts with cache: '1h' come before those with '5m'")
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return Object.freeze({ kind: 'prompt', id, version, hash, ...parts })
}

function partsOf(
  what: string,
  given: string | readonly (string | PromptPart)[],
  invalid: (detail: string) => never,
): readonly PromptPart[] {
  const list = typeof given === 'string' ? [given] : given
  return Object.freeze(
    list.map((part, at): PromptPart => {
      const { text, cache } = typeof part === 'string' ? { text: part } : part
      if (typeof text !== 'string' || text === '') return invalid(`${what}[${at}] has no text`)
      if (cache !== undefined && cache !== '5m' && cache !== '1h')
        return invalid(`${what}[${at}]: cache ${JSON.stringify(cache)} must be '5m' or '1h'`)
      return Object.freeze(cache === undefined ? { text } : { text, cache })
    }),
  )
}
