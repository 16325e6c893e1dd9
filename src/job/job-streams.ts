import type { StreamDeclaration } from '../broker/define-stream.js'
import { workStream } from '../broker/work-stream.js'
import type { Lane } from './job-event.js'

// A context with jobs has two streams beside its own: what became of them, for ever, and who is to do what next, until it is
// done. Their records are not among the context’s events: a job has many, with whole answers in them, and the context’s stream may
// forget, which what was decided and paid must not.

/** Name of the stream that has the jobs which events of a stream request. */
export function jobStreamName(stream: string): string {
  return `${stream}_JOBS`
}

/** The stream that has the records of the jobs of a context. */
export function jobStream(stream: StreamDeclaration): StreamDeclaration {
  const { partitions, replicas, storage, duplicateWindow } = stream
  return Object.freeze<StreamDeclaration>({
    kind: 'stream',
    name: jobStreamName(stream.name),
    root: `${stream.root}-jobs`,
    description: `What became of the jobs that events of ${stream.name} request`,
    partitions,
    replicas,
    storage,
    maxAge: 0,
    maxBytes: -1,
    duplicateWindow,
    aggregates: true,
  })
}

/** The queue of the jobs that a stream has the records of. */
export function jobQueue(jobs: StreamDeclaration): StreamDeclaration {
  return Object.freeze({ ...workStream(jobs), description: `Jobs of ${jobs.name} that are to be done` })
}

/** Where the jobs of one lane wait. */
export function laneSubject(queue: string, lane: Lane): string {
  return `millrace.${queue}.lane.${lane}`
}
