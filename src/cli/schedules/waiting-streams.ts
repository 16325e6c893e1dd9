import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { delayedSubject } from '../../broker/delayed-subject.js'
import { readLast, type LastMessage } from '../../broker/last-message.js'
import { isWork } from '../../broker/work-stream.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { type Deployment, streamNamed } from '../../runtime/deployment.js'
import { deployedScheduleId, type DeployedSchedule } from '../../runtime/schedules-at-work.js'

export interface StreamFlag {
  readonly stream?: string
}

/** Streams in which events may wait. @throws DECLARATION_UNKNOWN */
export function waitingStreams(deployment: Deployment, { stream }: StreamFlag): readonly StreamDeclaration[] {
  if (stream !== undefined) return [streamNamed(deployment, stream)]
  return deployment.streams.filter((one) => !isWork(one) && one.sources === undefined)
}

/** The schedule that a name means, `schedule-morning` or `morning`; undefined: none. */
export function scheduleNamed(deployment: Deployment, name: string): DeployedSchedule | undefined {
  return (deployment.schedules ?? []).find((one) => [deployedScheduleId(one), one.declaration.name].includes(name))
}

/** @throws DECLARATION_UNKNOWN */
export function requireSchedule(deployment: Deployment, name: string): DeployedSchedule {
  const found = scheduleNamed(deployment, name)
  if (found !== undefined) return found
  const known = (deployment.schedules ?? []).map(({ declaration }) => declaration.name).join(', ')
  throw fault('DECLARATION_UNKNOWN', `schedule ${JSON.stringify(name)}; there are: ${known}`)
}

/** An event that waits, and where. */
export interface FoundWaiting {
  readonly stream: StreamDeclaration
  readonly subject: string
  readonly message: LastMessage
}

/** The event that waits under an id, in whichever stream. @throws DELAYED_EVENT_NOT_PENDING, and errors of the broker */
export async function findWaiting(
  connection: Connection,
  streams: readonly StreamDeclaration[],
  id: string,
): Promise<FoundWaiting> {
  for (const stream of streams) {
    const subject = delayedSubject(stream.name, id)
    const message = await ifThere(() => readLast(connection, stream.name, subject))
    if (message !== undefined) return { stream, subject, message }
  }
  throw fault('DELAYED_EVENT_NOT_PENDING', id)
}

/** Undefined for a stream that is not there yet. */
export async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}
