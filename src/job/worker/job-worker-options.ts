import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { MillraceError } from '../../error/millrace-error.js'
import type { Lane } from '../job-event.js'
import type { Standstill } from './call-standstill.js'
import type { JobPlace, WorkPorts } from './work-ports.js'

/** The queue of a context, and what doing its jobs takes. */
export interface WorkedQueue {
  readonly stream: StreamDeclaration
  readonly place: JobPlace
}

export interface JobWorkerOptions extends Omit<WorkPorts, 'onRefused' | 'onAnswered'> {
  readonly connection: Connection
  readonly queues: readonly WorkedQueue[]
  /** Those that it takes; others are done by somebody else. Default all. */
  readonly lanes?: readonly Lane[]
  /** How long the server waits for a sign of life of who has a job, in ms. Default 30,000. */
  readonly ackWait?: number
  /** How long a stop waits for calls before it ends them, in ms. Default 5,000. */
  readonly stopGraceMs?: number
  /** It cannot go on; it has stopped. */
  readonly onFailure: (error: MillraceError) => void
}

/** How it is in this process. */
export interface JobWorkerStatus {
  /** Messages in hand, those that wait among them. */
  readonly held: number
  readonly running: number
  /** Why nothing is begun. */
  readonly stall: Standstill | undefined
}
