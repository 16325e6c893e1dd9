import type { ComposedDraft } from '../kernel/composed-draft.js'
import type { WireMessage } from '../event/wire.js'

const NO_ATTRIBUTES = Object.freeze({})

/** A decision on its way into a commit: its messages are as they were worked out with it. */
export class StoredDecision implements ComposedDraft {
  readonly type = 'millrace.decision'
  readonly version = 1
  readonly data = undefined
  readonly key = undefined
  readonly id = undefined
  readonly source = undefined
  readonly time = undefined
  readonly correlationId = undefined
  readonly causationId = undefined
  readonly attributes = NO_ATTRIBUTES
  readonly #messages: readonly WireMessage[]

  constructor(messages: readonly WireMessage[]) {
    this.#messages = messages
  }

  readonly compose = (): readonly WireMessage[] => this.#messages
}
