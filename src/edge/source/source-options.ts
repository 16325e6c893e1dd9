import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'

/** What every source says. */
export interface SourceTarget<Events extends readonly EventContract[] = readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among sources. */
  readonly name: string
  /** The stream that it fills, and what with. */
  readonly to: { readonly stream: string; readonly events: Events }
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** @throws SOURCE_INVALID */
export function readTarget({ name, to }: SourceTarget): SourceTarget {
  if (typeof name !== 'string' || !NAME.test(name))
    throw fault('SOURCE_INVALID', `${name}: name may have letters, digits, _ and -, at most 64`)
  if (typeof to?.stream !== 'string') throw fault('SOURCE_INVALID', `${name}: to.stream is missing`)
  if (!Array.isArray(to.events) || to.events.length === 0) throw fault('SOURCE_INVALID', `${name}: to.events is empty`)
  return { name, to: { stream: to.stream, events: Object.freeze([...to.events]) } }
}
