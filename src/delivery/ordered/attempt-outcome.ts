import type { ComposedDraft } from '../../kernel/composed-draft.js'
import type { WireMessage } from '../../event/wire.js'

/** A message that a handler has emitted, as JSON. */
export interface EmittedText {
  readonly s: string
  readonly h: WireMessage['headers']
  /** Payload in base64. */
  readonly d: string
}

/** How an attempt at an event ended, as it is written down. Times in ms since the Unix epoch. */
export type AttemptOutcome =
  | { readonly k: 'done'; readonly out?: readonly EmittedText[] }
  /** It failed, and is repeated at `due`. */
  | { readonly k: 'later'; readonly at: number; readonly code: string; readonly due: number }
  /** Its dead letter is stored. */
  | { readonly k: 'dead'; readonly code: string }
  | { readonly k: 'park'; readonly code: string; readonly detail: string }
  /** It is on its way to the park. */
  | { readonly k: 'parking' }
  | { readonly k: 'crash'; readonly code: string; readonly detail: string }

/** All that fits a commit beside the rest, as JSON, in characters. */
export const MOST_EMITTED = 400 * 1024

/** What a handler has emitted, to be written down with the outcome. */
export function emittedText(messages: readonly WireMessage[]): readonly EmittedText[] {
  return messages.map(({ subject, headers, data }) => ({
    s: subject,
    // the commit is what has it stored once
    h: headers.filter(([name]) => name !== 'Nats-Msg-Id'),
    d: Buffer.from(data).toString('base64'),
  }))
}

/** The outputs of a turn that settles an event. */
export function emittedDraft(emitted: readonly EmittedText[]): ComposedDraft {
  return {
    type: 'millrace.emitted',
    version: 1,
    data: undefined,
    key: undefined,
    id: undefined,
    source: undefined,
    time: undefined,
    correlationId: undefined,
    causationId: undefined,
    attributes: {},
    compose: () => emitted.map(({ s, h, d }) => ({ subject: s, headers: h, data: Buffer.from(d, 'base64') })),
  }
}
