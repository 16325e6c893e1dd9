import { countText } from './count-tokens.js'
import { isRecord } from './model-request.js'

/** How the input of a request is billed. Together they are all of it. */
export interface InputUsage {
  readonly input: number
  readonly read: number
  readonly written5m: number
  readonly written1h: number
}

const LIFE_MS: Readonly<Record<string, number>> = { '5m': 300_000, '1h': 3_600_000 }

/**
 * Prompt caching as it shows in `usage`: what is before the last block with `cache_control` is written the first time, and
 * read as long as it lives. One prefix for each request; each use makes it live on.
 */
export class PromptCache {
  readonly #until = new Map<string, number>()

  /** @param input tokens of the whole request @param now in ms */
  use(body: Readonly<Record<string, unknown>>, input: number, now: number): InputUsage {
    const marked = cachedPrefix(body)
    if (marked === undefined) return { input, read: 0, written5m: 0, written1h: 0 }
    const key = `${String(body['model'])} ${marked.prefix}`
    const known = (this.#until.get(key) ?? 0) > now
    this.#until.set(key, now + (LIFE_MS[marked.ttl] ?? 0))
    const tokens = Math.min(input, countText(marked.prefix))
    const none = { input: input - tokens, read: 0, written5m: 0, written1h: 0 }
    if (known) return { ...none, read: tokens }
    return marked.ttl === '1h' ? { ...none, written1h: tokens } : { ...none, written5m: tokens }
  }
}

/** What comes before the last mark, with it. */
function cachedPrefix(
  body: Readonly<Record<string, unknown>>,
): { readonly prefix: string; readonly ttl: string } | undefined {
  const blocks = [...list(body['tools']), ...list(body['system']), ...contentOf(body['messages'])]
  const last = blocks.findLastIndex((block) => isRecord(block) && isRecord(block['cache_control']))
  if (last < 0) return undefined
  const mark = (blocks[last] as { readonly cache_control: { readonly ttl?: string } }).cache_control
  return { prefix: JSON.stringify(blocks.slice(0, last + 1)), ttl: mark.ttl ?? '5m' }
}

function contentOf(messages: unknown): readonly unknown[] {
  return list(messages).flatMap((message) => (isRecord(message) ? list(message['content']) : []))
}

function list(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}
