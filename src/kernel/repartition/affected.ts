import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import { partitionsOf, processorId, WHOLE, type Processor } from '../processor.js'

/** A processor whose units are other ones afterwards: as it is with either number of partitions. */
export interface Mover {
  readonly id: string
  readonly before: Processor
  /** While the number changes: it reads as before, and writes as after, for who reads that does so too. */
  readonly between: Processor
  readonly after: Processor
}

/** Which processors a change of the number of partitions of a stream concerns. */
export interface Affected {
  readonly movers: readonly Mover[]
  /** They stay as they are, but work the partitions of the stream out themselves when they write to it. */
  readonly writers: readonly Processor[]
}

/** A batch holds the records of all units of a processor. */
const MOST_UNITS = 990

/**
 * @param processors every processor of the deployment, with whatever number of partitions it is declared
 * @throws REPARTITION_UNSUPPORTED
 */
export function affectedBy(
  processors: readonly Processor[],
  { name, root }: Pick<StreamDeclaration, 'name' | 'root'>,
  from: number,
  to: number,
): Affected {
  if (Math.max(from, to) > MOST_UNITS) throw unsupported(name, `there can be ${MOST_UNITS} partitions at most`)
  const merging = processors.find(({ from: { stream } }) => stream.sources?.some((source) => source.stream === name))
  if (merging !== undefined)
    throw unsupported(name, `${processorId(merging)} merges it with other streams, in partitions of their own`)
  const moves = (processor: Processor): boolean =>
    partitionsOf(processor)[0] !== WHOLE &&
    (processor.kind === 'outbox'
      ? processor.to.stream.name === name
      : processor.from.stream.name === name && processor.from.stream.root === root)
  const movers = processors.filter(moves).map((processor): Mover => {
    const id = processorId(processor)
    requireMovable(name, id, processor)
    const [before, after] = [withPartitions(processor, name, from), withPartitions(processor, name, to)]
    return { id, before, between: { ...after, from: before.from }, after }
  })
  // what waits in an outbox is where the former number has put it, so that is handled before anything is put there anew
  movers.sort((one, other) => Number(other.before.kind === 'outbox') - Number(one.before.kind === 'outbox'))
  const writers = processors.filter((processor) => !moves(processor) && worksOutPartitions(processor, name))
  return { movers, writers }
}

/** Ids of all of them. */
export function idsOf({ movers, writers }: Affected): readonly string[] {
  return [...movers.map(({ id }) => id), ...writers.map(processorId)]
}

/** A processor with another number of partitions of one stream. */
export function withPartitions(processor: Processor, name: string, partitions: number): Processor {
  const { from, to, kind, former, startWith } = processor
  const other = (stream: StreamDeclaration): StreamDeclaration =>
    stream.name === name ? { ...stream, partitions } : stream
  const ofOutbox = kind === 'outbox' && to.stream.name === name
  const input = ofOutbox ? { ...from.stream, partitions } : kind === 'outbox' ? from.stream : other(from.stream)
  return {
    ...processor,
    from: { ...from, stream: input },
    to: {
      ...to,
      stream: other(to.stream),
      ...(to.others === undefined
        ? {}
        : { others: to.others.map(({ stream, types }) => ({ stream: other(stream), types })) }),
    },
    ...(former === undefined ? {} : { former: withPartitions(former, name, partitions) }),
    ...(startWith === undefined ? {} : { start: startWith(other) }),
  }
}

function worksOutPartitions({ to }: Processor, name: string): boolean {
  return (to.packed === true && to.stream.name === name) || (to.others ?? []).some(({ stream }) => stream.name === name)
}

function requireMovable(stream: string, id: string, { memory, regroup }: Processor): void {
  if (memory === 'snapshot')
    throw unsupported(stream, `the state of ${id} is a whole that cannot be taken apart by key`)
  if (memory === 'keyed' && regroup === undefined)
    throw unsupported(stream, `${id} does not say how its state is put together anew (Processor.regroup)`)
}

function unsupported(stream: string, why: string): Error {
  return fault('REPARTITION_UNSUPPORTED', `${stream}: ${why}`)
}
