import type { StreamDeclaration } from '../broker/define-stream.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Logic, Memory, MemoryKind, Processor } from '../kernel/processor.js'
import { checkpointLogic } from './checkpoint-logic.js'
import { regroupKeys } from './checkpoint/regroup-keys.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { keyReader } from './key-reader.js'
import { requireLasting } from './lasting-state.js'
import { onPoisonOf } from './on-error.js'
import { SlotsLogic } from './slots/slots-logic.js'
import { StatelessLogic } from './stateless-logic.js'

/** The streams that a pipeline names. */
export interface PipelineStreams {
  /** The one it reads; of several inputs, the one that merges them. */
  readonly from: StreamDeclaration
  /** The one that it commits to. */
  readonly to: StreamDeclaration
  /** Further ones that outputs belong to. */
  readonly others?: NonNullable<Processor['to']['others']>
}

export interface Checking {
  /** What is otherwise looked at now and then (state outside of what is stored) is looked at each time. Default false. */
  readonly strict?: boolean
}

/** A declared pipeline as something that the kernel runs. @throws PIPELINE_INVALID */
export function pipelineProcessor(
  pipeline: PipelineDeclaration,
  streams: PipelineStreams,
  checking: Checking = {},
): Processor {
  const { recovery } = pipeline
  if (recovery.mode !== 'stateless')
    requireLasting(pipeline.name, streams.to, recovery.mode === 'slots' ? 'decisions' : 'states')
  return {
    kind: 'pipeline',
    name: pipeline.name,
    version: String(pipeline.version),
    from: { stream: streams.from, types: pipeline.from.events.map(({ type }) => type) },
    to: {
      stream: streams.to,
      packed: pipeline.to.packed === true,
      ...(streams.others === undefined ? {} : { others: streams.others }),
    },
    memory: MEMORIES[recovery.mode],
    spread: pipeline.spread,
    ...upgradeOf(pipeline, streams),
    ...(recovery.mode === 'checkpoint' ? { regroup: regroupKeys } : {}),
    ...onPoisonOf(pipeline.onError, false),
    ...(pipeline.keyBy === undefined ? {} : { keyOf: keyReader(pipeline) }),
    start: (memory, onBroken) => pipelineLogic(pipeline, memory, onBroken, checking),
  }
}

function upgradeOf({ upgrade }: PipelineDeclaration, streams: PipelineStreams): Pick<Processor, 'upgrade' | 'former'> {
  if (typeof upgrade === 'string') return { upgrade }
  return { upgrade: 'drain', former: pipelineProcessor(upgrade.drain, streams) }
}

const MEMORIES: Readonly<Record<PipelineDeclaration['recovery']['mode'], MemoryKind>> = {
  stateless: 'none',
  slots: 'replay',
  checkpoint: 'keyed',
}

/** A twin from each event on, until it has seen so many. */
const EACH_TIME = { probeEvery: 1, probeFor: 64 }

/** A declared pipeline at work, from what was stored of it or afresh. @throws SNAPSHOT_INVALID */
export function pipelineLogic(
  pipeline: PipelineDeclaration,
  memory: Memory,
  onBroken: (error: MillraceError) => void,
  { strict = false }: Checking = {},
): Logic {
  switch (pipeline.recovery.mode) {
    case 'stateless':
      return new StatelessLogic(pipeline, onBroken, strict ? { probeEvery: 1 } : {})
    case 'slots':
      return new SlotsLogic(pipeline, pipeline.recovery, memory, onBroken)
    case 'checkpoint':
      return checkpointLogic(pipeline, memory, onBroken, strict ? EACH_TIME : {})
  }
}
