import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { Processor } from '../../kernel/processor.js'
import type { KeyedDeclaration } from '../define-keyed.js'
import { KeyedLogic, type KeyedLogicOptions } from './keyed-logic.js'

/** A declared keyed pipeline as something that the kernel runs. */
export function keyedProcessor(
  keyed: KeyedDeclaration,
  streams: { readonly from: StreamDeclaration; readonly to: StreamDeclaration },
  options: KeyedLogicOptions = {},
): Processor {
  return {
    kind: 'pipeline',
    name: keyed.name,
    version: String(keyed.version),
    from: { stream: streams.from, types: keyed.from.events.map(({ type }) => type) },
    to: { stream: streams.to, packed: keyed.to.packed === true },
    memory: 'keyed',
    upgrade: keyed.upgrade,
    spread: keyed.spread,
    start: (memory) => new KeyedLogic(keyed, memory, options),
  }
}
