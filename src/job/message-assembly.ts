import { estimateTokens } from './estimate-tokens.js'
import { isRecord } from './unknown-json.js'
import { readUsage, type Usage } from './usage.js'

/** A block of an answer, put together. */
export interface AnswerBlock {
  readonly type: string
  readonly text: string
  /** The block as it began, without what came piece by piece. */
  readonly begun: Readonly<Record<string, unknown>>
}

/** Where the pieces of a block are, by the type of the delta. */
const PIECE: Readonly<Record<string, string>> = {
  text_delta: 'text',
  input_json_delta: 'partial_json',
  thinking_delta: 'thinking',
}

/**
 * An answer from the events of its stream. It is complete with `message_stop` and never before: a stream may end without an
 * error and without it.
 */
export class MessageAssembly {
  readonly #blocks = new Map<number, { readonly begun: Readonly<Record<string, unknown>>; readonly pieces: string[] }>()
  #message: Readonly<Record<string, unknown>> = {}
  #usage: Readonly<Record<string, unknown>> | undefined
  #ending: Readonly<Record<string, unknown>> = {}
  #complete = false
  #output = 0

  /** @returns the text that came with it; '' with any other event */
  add(event: unknown): string {
    if (!isRecord(event)) return ''
    switch (event['type']) {
      case 'message_start':
        this.#message = isRecord(event['message']) ? event['message'] : {}
        this.#use(this.#message['usage'])
        return ''
      case 'content_block_start':
        this.#blocks.set(Number(event['index']), { begun: recordOf(event['content_block']), pieces: [] })
        return ''
      case 'content_block_delta':
        return this.#delta(Number(event['index']), recordOf(event['delta']))
      case 'message_delta':
        this.#ending = recordOf(event['delta'])
        this.#use(event['usage'])
        return ''
      case 'message_stop':
        this.#complete = true
        return ''
      default:
        return '' // what the API adds later is not ours to judge
    }
  }

  get complete(): boolean {
    return this.#complete
  }

  /** Whether the answer has begun: what has begun is billed. */
  get begun(): boolean {
    return this.#usage !== undefined
  }

  /** undefined: it has not come. */
  get stopReason(): string | undefined {
    const reason = this.#ending['stop_reason']
    return typeof reason === 'string' ? reason : undefined
  }

  /** Why the model declined, where it has. */
  get refusalCategory(): string | undefined {
    const category = recordOf(this.#ending['stop_details'])['category']
    return typeof category === 'string' ? category : undefined
  }

  /** As the provider calls it. */
  get model(): string | undefined {
    const { model } = this.#message
    return typeof model === 'string' ? model : undefined
  }

  /** All text that was said. */
  get text(): string {
    return this.blocks.map(({ type, text }) => (type === 'text' ? text : '')).join('')
  }

  get blocks(): readonly AnswerBlock[] {
    return [...this.#blocks.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, { begun, pieces }]) => ({ type: String(begun['type']), text: pieces.join(''), begun }))
  }

  /**
   * What it is billed. Of an answer that broke off, the output is what was counted here, as only the end of a
   * stream says how much it was.
   */
  usage(): { readonly usage: Usage; readonly estimated: boolean } {
    const usage = readUsage(this.#usage)
    if (this.stopReason !== undefined) return { usage, estimated: false }
    const said = this.#output === 0 ? 0 : estimateTokens(this.blocks.map(({ text }) => text))
    return { usage: { ...usage, output: Math.max(usage.output, said) }, estimated: true }
  }

  #delta(index: number, delta: Readonly<Record<string, unknown>>): string {
    const name = PIECE[String(delta['type'])]
    const piece = name === undefined ? undefined : delta[name]
    if (typeof piece !== 'string') return ''
    this.#blocks.get(index)?.pieces.push(piece)
    this.#output += piece.length
    return delta['type'] === 'text_delta' ? piece : ''
  }

  /** The last word counts; what it does not say stays as it was. */
  #use(usage: unknown): void {
    if (!isRecord(usage)) return
    const said = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined)
    this.#usage = { ...this.#usage, ...Object.fromEntries(said) }
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}
