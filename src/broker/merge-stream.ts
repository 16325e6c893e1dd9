// What a pipeline with several inputs reads: one stream that the server fills from all of them. The order in which it
// stores them is the order of the merge, so the log itself is its journal (docs/decisions/0009).
//
//   PAYMENTS   payments.<partition>.<type>  ->  millrace.PIPELINE_velocity_INPUT.PAYMENTS.<partition>.<type>
//   CARDS      cards.<partition>.<type>     ->  millrace.PIPELINE_velocity_INPUT.CARDS.<partition>.<type>
//
// The input is part of the subject, so that the last message of each is found without a search: from it the server,
// and Millrace, know how far that input is merged.
//
// Invariants (tests cite them):
//   M1  What an input has of the types that are asked for is merged once and in its order, whatever is killed.
//   M2  Every reader and every replay meets the messages of all inputs in one order, the one in which they are stored.
//   M3  All events of a key are in one partition, whichever input they come from.
//   M4  A change of what is merged, in the middle of which anything may end, leaves nothing out and takes nothing twice.
//   M5  Only what every reader has passed is forgotten, and of each input never the last.
import { fault } from '../error/millrace-error.js'
import type { SourceDeclaration, StreamDeclaration } from './define-stream.js'
import { REDRIVE, systemSubjects } from './system-subject.js'

/** One input of a merge. */
export interface MergeInput {
  readonly stream: StreamDeclaration
  readonly types: readonly string[]
}

/**
 * Filters of one source: above some hundred, the server takes an ever longer time for each message (measured: 60,000
 * messages a second with 64, 25,000 with 256, 4,000 with 1,024).
 */
const MOST_FILTERS = 512

/** The clocks of a cluster’s servers may be so far apart, in ms: a copy must not go before its original. */
const APART_MS = 60_000

/** Name of the stream that merges the inputs of a pipeline. */
export function mergeStreamName(pipeline: string): string {
  return `PIPELINE_${pipeline}_INPUT`
}

/** Where a merge stream keeps what came from one input. */
export function mergedSubjects(merge: string, input: string): string {
  return `millrace.${merge}.${input}.>`
}

/**
 * The stream that merges the inputs of a pipeline. All events of a key, whichever input they come from, are in one
 * partition: a key’s partition is a hash modulo the number of partitions, so the greatest number that divides the
 * inputs’ numbers is one in which they agree. Inputs with the same number keep it.
 *
 * It keeps messages as long as the input that keeps them longest: so nothing is lost in it that its input has still,
 * and the server, which finds out from what is stored how far an input is merged, finds something as long as the input
 * could send it again. Where inputs are bounded by size, forgetMerged takes the place of an age.
 * @throws STREAM_INVALID inputs with different numbers of partitions and too many types; an input with a reserved name
 */
export function mergeStream(pipeline: string, inputs: readonly MergeInput[]): StreamDeclaration {
  const name = mergeStreamName(pipeline)
  const streams = inputs.map(({ stream }) => stream)
  if (streams.some((stream) => stream.name === REDRIVE))
    throw fault('STREAM_INVALID', `${name}: an input cannot be named ${REDRIVE}; its subjects are taken`)
  const partitions = streams.map((stream) => stream.partitions).reduce(greatestDivisor)
  return Object.freeze({
    kind: 'stream',
    name,
    // the input stands where the star is
    root: `millrace.${name}.*`,
    description: `Inputs of pipeline ${pipeline} in the order in which it reads them: ${streams.map((stream) => stream.name).join(', ')}`,
    partitions,
    replicas: Math.max(...streams.map(({ replicas }) => replicas)),
    storage: streams.every(({ storage }) => storage === 'memory') ? 'memory' : 'file',
    maxAge: streams.some(({ maxAge }) => maxAge === 0)
      ? 0
      : Math.max(...streams.map(({ maxAge }) => maxAge)) + APART_MS,
    maxBytes: -1,
    // two inputs may have the same message id; what an input has stored was told apart there
    duplicateWindow: 0,
    ...(streams.some(({ aggregates }) => aggregates === true) ? { aggregates: true as const } : {}),
    sources: inputs.map((input) => sourceOf(name, input, partitions)),
  })
}

/** Whether a stream is filled by the server from others; nobody publishes to it. */
export function isMerge(stream: StreamDeclaration): boolean {
  return stream.sources !== undefined
}

function sourceOf(merge: string, { stream, types }: MergeInput, partitions: number): SourceDeclaration {
  const { name, root } = stream
  const to = systemSubjects(merge).replace('>', name)
  // a fixed order: with another one, the server takes it for another source. The events of an aggregate are stored under
  // its name, and not under their types
  const sorted = stream.aggregates === true ? ['>'] : [...new Set(types)].sort()
  if (stream.partitions === partitions)
    return {
      stream: name,
      transforms: sorted.map((type) => ({ src: `${root}.*.${type}`, dest: `${to}.{{wildcard(1)}}.${type}` })),
    }
  const filters = stream.partitions * sorted.length
  if (filters > MOST_FILTERS)
    throw fault(
      'STREAM_INVALID',
      `${merge}: the partitions of its inputs differ, and ${name} has ${stream.partitions} of them and ${sorted.length} types: ` +
        `more than ${MOST_FILTERS} together; give the inputs the same number of partitions`,
    )
  const transforms = sorted.flatMap((type) =>
    Array.from({ length: stream.partitions }, (_, at) => ({
      src: `${root}.${at}.${type}`,
      dest: `${to}.${at % partitions}.${type}`,
    })),
  )
  return { stream: name, transforms }
}

/** Euclid’s algorithm. */
function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other)
}
