import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { JobDeclaration } from '../job/job-options.js'
import { jobQueue, jobStream } from '../job/job-streams.js'
import { progressStream } from '../job/progress/progress-stream.js'
import { requireUnique } from './require-declared.js'

/** A job, the stream that its requests are in, that of its records, its queue, and what is told of it while it is done. */
export interface DeployedJob {
  readonly declaration: JobDeclaration
  readonly stream: StreamDeclaration
  readonly records: StreamDeclaration
  readonly queue: StreamDeclaration
  readonly progress: StreamDeclaration
}

/**
 * The jobs of a deployment with their streams.
 * @param streams those of the contexts
 * @throws DECLARATION_INVALID two have one name or one request event, or one names a stream or an event that is not declared
 */
export function deployJobs(
  declared: readonly JobDeclaration[],
  streams: readonly StreamDeclaration[],
  registry: Registry,
): readonly DeployedJob[] {
  requireUnique(
    'job',
    declared.map(({ name }) => name),
  )
  const places = new Map(
    streams.map((stream) => {
      const records = jobStream(stream)
      return [stream.name, { stream, records, queue: jobQueue(records), progress: progressStream(records) }]
    }),
  )
  const takers = new Map<string, string>()
  return declared.map((declaration) => {
    const { name, on } = declaration
    const invalid = (detail: string) => fault('DECLARATION_INVALID', `job ${name}: ${detail}`)
    const place = places.get(on.stream)
    if (place === undefined)
      throw invalid(`stream ${JSON.stringify(on.stream)} is not declared; there are: ${[...places.keys()].join(', ')}`)
    if (registry.get(on.event.type) !== on.event) throw invalid(`${on.event.type} is in no events.ts`)
    // a request event is one job
    const request = `${on.stream} ${on.event.type}`
    const other = takers.get(request)
    if (other !== undefined) throw invalid(`${on.event.type} of ${on.stream} requests the job ${other} already`)
    takers.set(request, name)
    return { declaration, ...place }
  })
}

/** The streams of a deployment’s jobs, each once. */
export function jobStreamsOf(jobs: readonly DeployedJob[]): readonly StreamDeclaration[] {
  return [...new Set(jobs.flatMap(({ records, queue, progress }) => [records, queue, progress]))]
}
