import type { ComposedDraft } from '../kernel/composed-draft.js'
import type { WireMessage } from '../event/wire.js'

const NO_ATTRIBUTES = Object.freeze({})

/** A decision on its way into a commit: its messages are as they were worked out with it. */
export class StoredDecision implements ComposedDraft {
  // of the class: one is made for each command
  declare readonly type: 'millrace.decision'
  declare readonly version: 1
  declare readonly data: undefined
  declare readonly key: undefined
  declare readonly id: undefined
  declare readonly source: undefined
  declare readonly time: undefined
  declare readonly correlationId: undefined
  declare readonly causationId: undefined
  declare readonly attributes: Readonly<Record<string, never>>
  readonly messages: readonly WireMessage[]

  constructor(messages: readonly WireMessage[]) {
    this.messages = messages
  }

  compose(): readonly WireMessage[] {
    return this.messages
  }
}

Object.assign(StoredDecision.prototype, { type: 'millrace.decision', version: 1, attributes: NO_ATTRIBUTES })
