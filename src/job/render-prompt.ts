import { fault } from '../error/millrace-error.js'
import type { CacheLife, PromptDeclaration, PromptPart } from './define-prompt.js'
import { isRecord } from './unknown-json.js'

/** A text as the API takes it. */
export interface TextBlock {
  readonly type: 'text'
  readonly text: string
  readonly cache_control?: { readonly type: 'ephemeral'; readonly ttl: CacheLife }
}

/** A prompt with its values in it. */
export interface RenderedPrompt {
  readonly system: readonly TextBlock[]
  readonly user: readonly TextBlock[]
}

const PLACE = /\{\{\s*([\w.-]+)\s*\}\}/g

/**
 * Puts the values of an input into the places of a prompt: texts as they are, anything else as JSON.
 * @throws PROMPT_VALUE_MISSING with a pointer to what is missing
 */
export function renderPrompt(prompt: PromptDeclaration, input: unknown): RenderedPrompt {
  const block = ({ text, cache }: PromptPart): TextBlock => {
    // replaced in one pass: a value that looks like a place stays what it is
    const filled = text.replace(PLACE, (_, path: string) => valueAt(prompt, input, path))
    const mark = cache === undefined ? {} : { cache_control: { type: 'ephemeral' as const, ttl: cache } }
    return { type: 'text', text: filled, ...mark }
  }
  return { system: prompt.system.map(block), user: prompt.user.map(block) }
}

/** The places of a prompt, each once, such as `customer.name`. */
export function placesOf({ system, user }: PromptDeclaration): readonly string[] {
  const found = [...system, ...user].flatMap(({ text }) => [...text.matchAll(PLACE)].map(([, path]) => path as string))
  return [...new Set(found)]
}

/** The texts of a prompt, to estimate its tokens. */
export function textsOf({ system, user }: RenderedPrompt): readonly string[] {
  return [...system, ...user].map(({ text }) => text)
}

function valueAt({ id, version }: PromptDeclaration, input: unknown, path: string): string {
  const names = path.split('.')
  const value = names.reduce<unknown>((at, name) => {
    if (Array.isArray(at)) return Object.hasOwn(at, name) ? at[Number(name)] : undefined
    return isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }, input)
  if (value === undefined || value === null) {
    const pointer = `/${names.join('/')}`
    const issues = [{ pointer, detail: 'the prompt has a place for it' }]
    throw fault('PROMPT_VALUE_MISSING', `${id}, version ${version}: ${pointer}`, { issues })
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
