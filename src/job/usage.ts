import { isRecord } from './unknown-json.js'

/** Tokens of a call as they are billed: no token is in two fields. */
export interface Usage {
  /** Neither read from a cache nor written to one. */
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  /** Written to a cache for 5 minutes. */
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  /** Of `output`. */
  readonly thinking: number
  /** Requests of tools that run at the provider, by their name: `web_search_requests`. */
  readonly serverTools: Readonly<Record<string, number>>
  /** What the price depends on beside the model: `batch`, `priority`, `fast`, `geo:us`. */
  readonly terms: readonly string[]
}

export const NO_USAGE: Usage = Object.freeze({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  thinking: 0,
  serverTools: Object.freeze({}),
  terms: Object.freeze([]),
})

/** The usage of an answer, as the API gives it. What is not there counts as nothing. */
export function readUsage(usage: unknown): Usage {
  if (!isRecord(usage)) return NO_USAGE
  const lives = isRecord(usage['cache_creation']) ? usage['cache_creation'] : {}
  const written = tokens(usage['cache_creation_input_tokens'])
  const written1h = tokens(lives['ephemeral_1h_input_tokens'])
  const written5m = tokens(lives['ephemeral_5m_input_tokens'])
  const details = usage['output_tokens_details']
  return {
    input: tokens(usage['input_tokens']),
    output: tokens(usage['output_tokens']),
    cacheRead: tokens(usage['cache_read_input_tokens']),
    // what is not said to live for an hour lives for five minutes
    cacheWrite5m: Math.max(written5m, written - written1h),
    cacheWrite1h: written1h,
    thinking: isRecord(details) ? tokens(details['thinking_tokens']) : 0,
    serverTools: counts(usage['server_tool_use']),
    terms: termsOf(usage),
  }
}

/** All input tokens, wherever they came from. */
export function inputOf({ input, cacheRead, cacheWrite5m, cacheWrite1h }: Usage): number {
  return input + cacheRead + cacheWrite5m + cacheWrite1h
}

/** What counts for the limit of input tokens per minute: not what was read from a cache. */
export function limitedInputOf(usage: Usage): number {
  return inputOf(usage) - usage.cacheRead
}

function tokens(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0
}

function counts(value: unknown): Readonly<Record<string, number>> {
  if (!isRecord(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, count]) => (tokens(count) > 0 ? [[name, tokens(count)]] : [])),
  )
}

const NO_GEO: readonly string[] = ['global', 'not_available']

/** What is usual is no term. */
function termsOf(usage: Readonly<Record<string, unknown>>): readonly string[] {
  const terms = [usage['service_tier'], usage['speed']].filter(
    (term): term is string => typeof term === 'string' && term !== 'standard',
  )
  const geo = usage['inference_geo']
  return typeof geo === 'string' && !NO_GEO.includes(geo) ? [...terms, `geo:${geo}`] : terms
}
