import type { StreamDeclaration } from '../../broker/define-stream.js'
import { systemSubjects } from '../../broker/system-subject.js'
import { encodeToken } from '../../event/subject.js'

/** How long progress can be read, in ms, and how many bytes of it there are at most. */
const KEPT_MS = 600_000
const MOST_BYTES = 32 * 1024 * 1024
const DUPLICATE_WINDOW = 10_000

/**
 * The stream of what is told of jobs while they are done: in memory, for minutes, the oldest gives way. One replica: it may
 * be lost, and what it is lost with is a node.
 * @param jobs the stream of their records
 */
export function progressStream(jobs: StreamDeclaration): StreamDeclaration {
  const name = `${jobs.name}_TOKENS`
  return Object.freeze<StreamDeclaration>({
    kind: 'stream',
    name,
    root: `${jobs.root}-tokens`,
    description: `What is told of jobs of ${jobs.name} while they are done, for ten minutes`,
    partitions: 1,
    replicas: 1,
    storage: 'memory',
    maxAge: KEPT_MS,
    maxBytes: MOST_BYTES,
    duplicateWindow: DUPLICATE_WINDOW,
    captures: Object.freeze([systemSubjects(name)]),
  })
}

/** Where an attempt at a job is told of. */
export function progressSubject(stream: string, job: string, attempt: number): string {
  return `millrace.${stream}.job.${encodeToken(job)}.${attempt}`
}

/** All that is told of a job. */
export function progressFilter(stream: string, job: string): string {
  return `millrace.${stream}.job.${encodeToken(job)}.*`
}
