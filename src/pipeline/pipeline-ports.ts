import { mergeStreamName } from '../broker/merge-stream.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'

// oxlint-disable-next-line typescript/no-explicit-any -- a list of contracts of any types
export type Contracts = readonly EventContract<string, any>[]

/** Events of a stream: what a pipeline reads there, or puts out there. */
export interface PipelinePort<List extends Contracts = Contracts> {
  readonly stream: string
  readonly events: List
  /**
   * Of an output: many events may share a message (CloudEvents batch), which costs a fraction. Pipelines, rules and
   * replay read them like others; another program has to know that a message may hold a list. Default false.
   */
  readonly packed?: boolean
}

/** One stream, or several. */
export type PipelinePorts = PipelinePort | readonly PipelinePort[]

/** The contracts of one port or of all of them. */
export type ContractsOf<Ports extends PipelinePorts> = Ports extends readonly PipelinePort[]
  ? readonly Ports[number]['events'][number][]
  : Ports extends PipelinePort
    ? Ports['events']
    : never

/** The ports of a pipeline, checked. */
export interface CheckedPorts {
  /** What is read: the one input, or the stream that merges them, with the events of all. */
  readonly from: PipelinePort
  /** The stream that has the position, with every event that is put out, whichever stream that belongs to. */
  readonly to: PipelinePort
  /** As declared. */
  readonly inputs: readonly PipelinePort[]
  readonly outputs: readonly PipelinePort[]
}

type Ports = readonly [PipelinePort, ...PipelinePort[]]

/** @throws PIPELINE_INVALID a stream is there twice or has no events, an event has two targets or is read and put out */
export function checkPorts(pipeline: string, from: PipelinePorts, to: PipelinePorts): CheckedPorts {
  const inputs = portsOf(pipeline, 'from', from)
  const outputs = portsOf(pipeline, 'to', to)
  requireOneTarget(pipeline, outputs)
  for (const { stream, events } of inputs) {
    const target = outputs.find((output) => output.stream === stream)
    const loops = events.filter((contract) => target?.events.includes(contract)).map(({ type }) => type)
    if (loops.length > 0) invalid(pipeline, `it puts out what it reads: ${loops.join(', ')}`)
  }
  return {
    from: inputs.length === 1 ? inputs[0] : { stream: mergeStreamName(pipeline), events: allOf(inputs) },
    to: outputs.length === 1 ? outputs[0] : { ...outputs[0], events: allOf(outputs) },
    inputs,
    outputs,
  }
}

/** One port or several as a list, each stream once and none without events. */
function portsOf(pipeline: string, side: 'from' | 'to', given: PipelinePorts): Ports {
  const isList = Array.isArray(given)
  const ports: readonly PipelinePort[] = isList ? (given as readonly PipelinePort[]) : [given as PipelinePort]
  const [first, ...more] = ports
  if (first === undefined) return invalid(pipeline, `${side} is empty`)
  for (const [at, { stream, events }] of ports.entries()) {
    if (events.length === 0) invalid(pipeline, `${side}${isList ? `[${at}]` : ''}.events is empty`)
    if (ports.findIndex((other) => other.stream === stream) !== at)
      invalid(pipeline, `${side} has stream ${stream} twice`)
  }
  return [first, ...more]
}

/** An output finds its stream by its type. */
function requireOneTarget(pipeline: string, outputs: Ports): void {
  const targets = new Map<string, string>()
  for (const { stream, events } of outputs)
    for (const { type } of events) {
      const other = targets.get(type)
      if (other !== undefined && other !== stream)
        invalid(pipeline, `${type} is declared for ${other} and for ${stream}`)
      targets.set(type, stream)
    }
}

function allOf(ports: Ports): Contracts {
  return [...new Set(ports.flatMap(({ events }) => events))]
}

function invalid(pipeline: string, detail: string): never {
  throw fault('PIPELINE_INVALID', `${pipeline}: ${detail}`)
}
