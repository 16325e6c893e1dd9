import type { z } from 'zod'
import type { Backoff } from '../delivery/backoff.js'
import type { HandlerDeclaration } from '../delivery/handler-options.js'
import type { EventContract, EventOf } from '../event/contract.js'
import type { WatchdogLimits } from './call-watchdog.js'
import type { CallRetry } from './decide-retry.js'
import type { PromptDeclaration } from './define-prompt.js'
import type { Lane } from './job-event.js'
import type { ResultSchema } from './result-schema.js'

/** How calls are repeated, watched and kept. */
export interface JobCallOptions {
  /**
   * How often it is asked in all, and how long it waits between. What the provider asks to wait for counts as none.
   * Default: 5 attempts, `fullJitter('1s', '60s')`.
   */
  readonly retry?: { readonly attempts?: number; readonly backoff?: Backoff }
  /** For how long another job of the same tenant that asks the very same takes the answer. Default: each asks for itself. */
  readonly cache?: { readonly ttl: string | number }
  /** How long a call may show no sign of life, in ms or like `60s`. Default `60s`. */
  readonly idle?: string | number
  /** How long a call may take in all. Default `10m`. */
  readonly timeout?: string | number
}

export interface JobOptions<Request extends EventContract, Result extends z.ZodType> extends JobCallOptions {
  /** Letters, digits, _ and -, at most 60; unique among jobs. */
  readonly name: string
  /** An event of this type requests a job; its data is the input. One type requests one kind of job. */
  readonly on: {
    readonly stream: string
    readonly event: Request
    /** Where it begins when it runs for the first time: with what the stream has, or with what comes. Default `first`. */
    readonly from?: 'first' | 'new'
  }
  /** Its places are fields of the input. */
  readonly prompt: PromptDeclaration
  /** Other versions of it, former or coming ones: `millrace job replay --prompt-version` asks with them. */
  readonly prompts?: readonly PromptDeclaration[]
  /** What the answer has to be: an object that JSON Schema can say. */
  readonly result: Result
  /** As the provider calls it. */
  readonly model: string
  /** Most that an answer may have. */
  readonly maxTokens: number
  /** Default `standard`. */
  readonly lane?: Lane | ((input: EventOf<Request>['data']) => Lane)
  /** Whom it is for: tenants take turns in a lane. At most 256 characters. Default: all jobs are of one. */
  readonly tenant?: (input: EventOf<Request>['data']) => string
  /** How long after the time of its request event it is of use, in ms or like `10m`. Default: for ever. */
  readonly deadline?: string | number
}

/** A declared job. Times in ms. */
export interface JobDeclaration {
  readonly kind: 'job'
  readonly name: string
  readonly on: { readonly stream: string; readonly event: EventContract }
  readonly prompt: PromptDeclaration
  /** All versions, that in use first. */
  readonly prompts: readonly PromptDeclaration[]
  readonly result: z.ZodType
  /** The same as a model is asked for it. */
  readonly resultSchema: ResultSchema
  readonly model: string
  readonly maxTokens: number
  readonly deadline: number | undefined
  readonly retry: CallRetry
  readonly limits: WatchdogLimits
  /** undefined: no answer is taken from another job. */
  readonly cacheTtl: number | undefined
  laneOf(input: unknown): unknown
  tenantOf(input: unknown): unknown
  /** What takes its requests; its `handle` comes with a deployment. */
  readonly requests: HandlerDeclaration
}
