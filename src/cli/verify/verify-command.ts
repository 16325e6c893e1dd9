import { stepEnvironment } from '../../kernel/step-environment.js'
import { verifyFault, verifyProcessor, type VerifyReport } from '../../replay/verify/verify-processor.js'
import { installGuard } from '../../time/guard.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { printVerified, verifiedJson } from './print-verified.js'
import { verifiedBy, type Verified } from './verified.js'
import { inputOfFile, inputOfStream, type InputRange, type VerifyInput } from './verify-input.js'

/** The options of `millrace verify`, as commander reads them. */
export interface VerifyFlags extends InputRange {
  readonly file?: string
  readonly points?: number
  readonly runSteps?: boolean
}

/**
 * Verifies a pipeline or a rule over recorded input.
 * @throws VERIFY_FAILED, VERIFY_NOTHING, DECLARATION_UNKNOWN, RULE_INVALID, INPUT_UNREADABLE, INPUT_REJECTED,
 *   REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, INTERRUPTED and errors of the broker
 */
export async function verifyCommand(context: CliContext, name: string, flags: VerifyFlags): Promise<void> {
  const { clock, err, out, json, signal } = context
  installGuard() // before the pipelines are loaded: what they ask the machine is refused, and said with its place
  const verified = await verifiedBy(name, await context.deployment({ rules: false }))
  const input = await readInput(context, flags, verified)
  for (const note of input.notes) err.line(`${err.style('yellow', 'note')} ${note}`)
  const progress = createProgress(context, { label: 'crashing', unit: 'crashes' })
  const started = clock.monotonic()
  let report: VerifyReport
  try {
    report = await verifyProcessor({
      ...verified,
      ...input,
      clock,
      signal,
      points: flags.points,
      runSteps: flags.runSteps === true,
      ...(flags.file === undefined ? { environment: stepEnvironment(await context.connect(), clock) } : {}),
      onProgress: ({ points, fraction }) => progress.update(points, fraction),
    })
  } finally {
    progress.end()
  }
  const ms = clock.monotonic() - started
  const failed = verifyFault(report)
  if (json) printJson(context, verifiedJson(report, ms))
  else if (failed === undefined) printVerified(out, report, { ms, from: input.from })
  if (failed !== undefined) throw failed
}

async function readInput(context: CliContext, flags: VerifyFlags, verified: Verified): Promise<VerifyInput> {
  if (flags.file !== undefined) return inputOfFile(context, flags.file, verified, flags)
  const { signal } = context
  const connection = await orStopped(context.connect(), signal)
  const progress = createProgress(context, { label: 'reading', unit: 'messages' })
  try {
    return await orStopped(inputOfStream(context, connection, verified.processor, flags, progress), signal)
  } finally {
    progress.end()
  }
}
