import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Admission } from '../admission.js'
import type { AnswerCache } from '../answer-cache.js'
import type { FailureClass } from '../classify-failure.js'
import type { JobDeclaration } from '../job-options.js'
import type { JobAccount, JobState } from '../job-state.js'
import type { ModelAsk, ModelClient } from '../model-client.js'
import type { FirstRecord, JobLog, QueuedJob } from '../take-request.js'
import type { JobProgress } from '../progress/job-progress.js'
import type { TaskProgress } from './task-progress.js'
import type { TokenEstimates } from './token-estimates.js'

/** The queue that a message came from, as far as its job needs one. */
export interface JobQueue {
  /**
   * Has the job come back to its lane at a time.
   * @param copy sequence of the message that was handled
   * @param at in ms since the Unix epoch
   */
  later(job: QueuedJob, copy: number, at: number): Promise<void>
  /** Puts it into another lane. @param copy see later */
  move(job: QueuedJob, copy: number): Promise<void>
  /** Whether it still has this message, and it is of that job. */
  has(message: number, id: string): Promise<boolean>
}

/** Jobs of one context: where they are recorded, queued, given up and declared. */
export interface JobPlace {
  readonly log: JobLog
  readonly queue: JobQueue
  /** Stores the dead letter of a job, once for each generation. */
  letter(dead: Extract<JobState, { kind: 'dead' }>): Promise<void>
  declared(name: string): JobDeclaration | undefined
  /** Whether an attempt is in a batch that may still have its answer. Absent: there are no batches. */
  inBatch?(batch: string, attempt: { readonly id: string; readonly attempt: number }): Promise<boolean>
  /** Who wants to know how calls go on. */
  readonly progress: JobProgress
  /** Whose answers its jobs may have: those of this stream. */
  readonly context: string
}

/** What doing jobs takes beside their place. */
export interface WorkPorts {
  readonly client: ModelClient
  readonly admission: Admission
  readonly cache?: AnswerCache | undefined
  /** Takes jobs that are admitted, in place of calling for each. */
  readonly collect?: ((job: CollectedJob) => Promise<TaskEnd | undefined>) | undefined
  readonly estimates: TokenEstimates
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1. */
  readonly chance: () => number
  /** In ms since the Unix epoch, by the clock of the server. */
  readonly now: () => number
  /** Who works: host and process. */
  readonly owner: string
  /** A call was refused in a way that every other one would be. @param until in ms since the Unix epoch */
  readonly onRefused: (failure: FailureClass, detail: string, until: number) => void
  /** A call was answered, or failed in a way of its own. */
  readonly onAnswered: () => void
}

/** A place among the jobs that are asked. A job has one when it is begun. */
export interface Seat {
  /** It is asked, and what remains is to be recorded: another one may begin. */
  leave(): void
  /** Waits for one, where it has none. @throws why its call was ended */
  take(): Promise<void>
}

/** A message of the queue, in hand. */
export interface JobTask {
  readonly place: JobPlace
  readonly queued: QueuedJob
  /** Its sequence in the queue. */
  readonly message: number
  readonly deliveries: number
  /** What the log had of its job when it was stored. Absent: it does not say. */
  readonly first?: FirstRecord | undefined
  /** Its place among those that are asked. Absent: there are enough. */
  readonly seat?: Seat | undefined
  /** Ends its waiting for a call: the job was lost to another process, or this one stops. Absent: `call` does. */
  readonly wait?: AbortSignal | undefined
  /** Ends its call: as above, but that a stop gives it a while. */
  readonly call: AbortSignal
  /** Ends all else. */
  readonly signal: AbortSignal
  /** What is told of its calls. */
  readonly telling: TaskProgress
}

/** A job that is to be asked together with others. */
export interface CollectedJob {
  readonly task: JobTask
  readonly job: JobDeclaration
  readonly ask: ModelAsk
  /** As it was when that was decided. */
  readonly account: JobAccount
}

/** What becomes of a message. */
export type TaskEnd =
  /** The job is over, or another message has taken the place of this one. */
  | 'done'
  /** It is free for others now. */
  | 'back'
  /** The server delivers it again by itself. */
  | 'left'
