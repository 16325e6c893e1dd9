import type { z } from 'zod'
import { defineHandler } from '../delivery/define-handler.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { isField } from '../event/contract-fields.js'
import type { PromptDeclaration } from './define-prompt.js'
import { isLane, type Lane } from './job-event.js'
import type { JobDeclaration, JobOptions } from './job-options.js'
import { duration, readCallOptions } from './read-call-options.js'
import { placesOf } from './render-prompt.js'
import { requestTaker } from './request-taker.js'
import { resultSchemaOf } from './result-schema.js'

const NAME = /^[A-Za-z0-9_-]{1,60}$/
const LONGEST_MODEL = 128
const FIELDS: ReadonlySet<string> = new Set<keyof JobOptions<EventContract, z.ZodType>>([
  'name',
  'on',
  'prompt',
  'prompts',
  'result',
  'model',
  'maxTokens',
  'lane',
  'tenant',
  'deadline',
  'retry',
  'cache',
  'idle',
  'timeout',
])
/** Of jobs that say of nobody whom they are for. */
const ONE_TENANT = 'default'

type Invalid = (field: string, detail: string) => never

/**
 * Declares a job: a question to a model for each event of a type, asked with a prompt, answered with an object of a schema. The event is the
 * request, and its id is the job’s: one request event is one job, however often it is published or delivered. What
 * cannot be asked (a value that the prompt has a place for is missing) is a dead letter before it costs anything.
 *
 * `millrace run` records requests and does the jobs. A call that fails is repeated as `retry` says; an answer that is not what
 * `result` says is asked for once more, then the job is a dead letter. A decision is taken once, also when processes are killed;
 * a call may then have been made, and paid for, twice.
 *
 * @example
 * defineJob({
 *   name: 'triage',
 *   on: { stream: 'PAYMENTS', event: TriageRequested },
 *   prompt: definePrompt({ id: 'triage', version: 1, user: 'Card {{cardId}} paid {{amount}}. Is it fraud?' }),
 *   result: z.object({ fraud: z.boolean(), reason: z.string() }),
 *   model: 'claude-haiku-5-5', maxTokens: 300,
 *   lane: ({ amount }) => (amount > 1_000 ? 'urgent' : 'standard'),
 *   tenant: ({ merchant }) => merchant,
 *   deadline: '10m',
 * })
 * @throws JOB_INVALID with a pointer to the field · JOB_RESULT_INVALID the result cannot be asked for
 */
export function defineJob<Request extends EventContract, Result extends z.ZodType>(
  options: JobOptions<Request, Result>,
): JobDeclaration {
  if (typeof options !== 'object' || options === null)
    throw fault('JOB_INVALID', 'defineJob takes an object', { issues: [{ pointer: '', detail: 'it is no object' }] })
  const { name, on, prompt, result, model, maxTokens, lane = 'standard', tenant } = options
  const invalid: Invalid = (field, detail) => {
    const who = typeof name === 'string' ? name : 'a job'
    throw fault('JOB_INVALID', `${who}: ${field}: ${detail}`, {
      issues: [{ pointer: `/${field.replaceAll('.', '/')}`, detail }],
    })
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name', 'may have letters, digits, _ and -, at most 60')
  const unknown = Object.keys(options).find((field) => !FIELDS.has(field))
  if (unknown !== undefined) invalid(unknown, `is not known; there are: ${[...FIELDS].join(', ')}`)
  if (typeof on?.stream !== 'string' || on.stream === '') invalid('on.stream', 'is missing')
  if (typeof on.event?.type !== 'string') invalid('on.event', 'is no contract (defineEvent)')
  const { from = 'first' } = on
  if (from !== 'first' && from !== 'new') invalid('on.from', `${JSON.stringify(from)} is not known`)
  const prompts = readPrompts(options, invalid)
  if (typeof result?.safeParse !== 'function') invalid('result', 'is no zod schema')
  if (typeof model !== 'string' || model.trim() === '' || model.length > LONGEST_MODEL)
    invalid('model', `must be the name of a model, at most ${LONGEST_MODEL} characters`)
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    invalid('maxTokens', `${maxTokens} must be a whole number from 1`)
  if (typeof lane !== 'function' && !isLane(lane)) invalid('lane', `${JSON.stringify(lane)} is not known`)
  if (tenant !== undefined && typeof tenant !== 'function') invalid('tenant', 'is no function')
  return Object.freeze<JobDeclaration>({
    kind: 'job',
    name,
    on: Object.freeze({ stream: on.stream, event: on.event }),
    prompt,
    prompts,
    result,
    resultSchema: resultSchemaOf(name, result),
    model,
    maxTokens,
    deadline: options.deadline === undefined ? undefined : duration('deadline', options.deadline, invalid),
    ...readCallOptions(options, invalid),
    laneOf: typeof lane === 'function' ? (lane as (input: unknown) => Lane) : () => lane,
    tenantOf: (tenant as ((input: unknown) => string) | undefined) ?? (() => ONE_TENANT),
    requests: defineHandler({
      name: requestTaker(name),
      on: { stream: on.stream, events: [on.event], from },
      handle: () => {
        throw fault('JOB_INVALID', `${name} runs in a deployment only`)
      },
    }),
  })
}

/** All versions, that in use first. */
function readPrompts(
  { prompt, prompts: others = [], on }: JobOptions<EventContract, z.ZodType>,
  invalid: Invalid,
): readonly PromptDeclaration[] {
  if (!Array.isArray(others)) return invalid('prompts', 'is no list of prompts')
  const prompts = [prompt, ...(others as readonly PromptDeclaration[])]
  for (const [at, one] of prompts.entries()) {
    const field = at === 0 ? 'prompt' : `prompts.${at - 1}`
    if (one?.kind !== 'prompt') invalid(field, 'is no prompt (definePrompt)')
    if (prompts.findIndex(({ version }) => version === one.version) < at)
      invalid(field, `there is a version ${one.version} already`)
    requirePlaces(one, on.event, (_, detail) => invalid(field, detail))
  }
  return Object.freeze(prompts)
}

/** A place that no input can have a value for would fail each job. */
function requirePlaces(prompt: PromptDeclaration, event: EventContract, invalid: Invalid): void {
  const fields = event.fields()
  for (const place of placesOf(prompt))
    if (!isField(fields, `data.${place}`))
      invalid('prompt', `${prompt.id} has a place {{${place}}}, and ${event.type} has no such field`)
}
