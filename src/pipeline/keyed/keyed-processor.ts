import type { Processor } from '../../kernel/processor.js'
import type { KeyedDeclaration } from '../define-keyed.js'
import { requireLasting } from '../lasting-state.js'
import { onPoisonOf } from '../on-error.js'
import type { PipelineStreams } from '../pipeline-processor.js'
import { KeyedLogic, type KeyedLogicOptions } from './keyed-logic.js'
import { regroup } from './regroup.js'

/** A declared keyed pipeline as something that the kernel runs. @throws PIPELINE_INVALID */
export function keyedProcessor(
  keyed: KeyedDeclaration,
  streams: PipelineStreams,
  options: KeyedLogicOptions = {},
): Processor {
  requireLasting(keyed.name, streams.to, 'states')
  return {
    kind: 'pipeline',
    name: keyed.name,
    version: String(keyed.version),
    from: { stream: streams.from, types: keyed.from.events.map(({ type }) => type) },
    to: {
      stream: streams.to,
      packed: keyed.to.packed === true,
      ...(streams.others === undefined ? {} : { others: streams.others }),
    },
    memory: 'keyed',
    upgrade: keyed.upgrade,
    spread: keyed.spread,
    regroup: (regrouping) => regroup(regrouping),
    ...onPoisonOf(keyed.onError, true),
    ...(keyed.keyBy === undefined ? {} : { keyOf: keyed.keyBy }),
    start: (memory) => new KeyedLogic(keyed, memory, options),
  }
}
