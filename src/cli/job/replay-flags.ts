import { z } from 'zod'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { pastTime } from '../past-time.js'

/** The options of `millrace job replay`, as commander reads them. */
export interface ReplayFlags {
  readonly stream?: string
  readonly job?: string
  readonly tenant?: string
  readonly fromSeq?: number
  readonly toSeq?: number
  readonly since?: string
  readonly sample?: number
  readonly model?: string
  readonly promptVersion?: number
  readonly concurrency: number
  /** In the currency of the prices. */
  readonly maxCost?: number
  readonly output?: string
  readonly resume?: string
  readonly all?: boolean
  readonly check?: boolean
}

/** Which jobs, and what is asked about them. It is kept with the answers, so that who goes on means the same. */
export const SELECTION = z.object({
  stream: z.string().optional(),
  job: z.string().optional(),
  tenant: z.string().optional(),
  fromSeq: z.number().optional(),
  toSeq: z.number().optional(),
  /** In ms since the Unix epoch. */
  since: z.number().optional(),
  sample: z.number().optional(),
  model: z.string().optional(),
  promptVersion: z.number().optional(),
})
export type Selection = z.output<typeof SELECTION>

/** Options that a file of answers has the values of. */
const KEPT = [
  'stream',
  'job',
  'tenant',
  'fromSeq',
  'toSeq',
  'since',
  'sample',
  'model',
  'promptVersion',
  'output',
] as const

/** Whether models are asked. */
export function asks({ model, promptVersion }: Pick<Selection, 'model' | 'promptVersion'>): boolean {
  return model !== undefined || promptVersion !== undefined
}

/** @throws USAGE naming the options that do not go together */
export function selectionOf(flags: ReplayFlags, { clock }: Pick<CliContext, 'clock'>): Selection {
  const { since, output, maxCost } = flags
  if (!asks(flags) && (output !== undefined || maxCost !== undefined))
    throw fault('USAGE', 'nothing is asked without --model or --prompt-version: leave out --output and --max-cost')
  const { stream, job, tenant, fromSeq, toSeq, sample, model, promptVersion } = flags
  const from = since === undefined ? undefined : pastTime('--since', since, clock)
  return { stream, job, tenant, fromSeq, toSeq, since: from, sample, model, promptVersion }
}

/** @throws USAGE what is given is in the file */
export function checkResume(flags: ReplayFlags): void {
  const given = KEPT.filter((name) => flags[name] !== undefined)
  if (given.length > 0)
    throw fault('USAGE', `--resume goes on with what its file says: leave out ${given.map(optionOf).join(', ')}`)
}

function optionOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
