import { fault, isFault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { readLines } from '../input/lines.js'
import { openInput, type Input } from '../input/open-input.js'
import { printJson } from '../json.js'
import { createProgress } from '../progress.js'
import { LinePublisher } from './publish-lines.js'
import { Rejections } from './rejections.js'
import { printReport, reportJson, type PublishOutcome } from './report.js'
import { targetsOf } from './targets.js'

export interface PublishFileOptions {
  /** A path, or `-`. */
  readonly file: string
  readonly stream?: string
  readonly source?: string
  readonly fromLine: number
  readonly rejected?: string
  readonly dryRun?: boolean
}

/** What nats-server takes unless it is configured otherwise; for a dry run, which asks no server. */
const USUAL_MAX_PAYLOAD = 1_048_576
const SETTLE_MS = 2_000

/**
 * Publishes every line of an input and reports what was rejected.
 * @throws INPUT_REJECTED when lines were, OUTPUT_UNWRITABLE when their file has not taken them, INTERRUPTED or an error of
 *   the broker with the line to go on from
 */
export async function publishFile(context: CliContext, options: PublishFileOptions): Promise<void> {
  const { clock, signal } = context
  const input = await openInput(context, options.file)
  const deployment = await context.deployment({ rules: false })
  const targets = targetsOf(deployment, options.stream)
  const connection = options.dryRun === true ? undefined : await context.connect()
  const rejections = await Rejections.open(options.rejected)
  const publisher = new LinePublisher({
    registry: deployment.registry,
    targets,
    rejections,
    clock,
    source: options.source ?? `/millrace/publish/${encodeURIComponent(input.id)}`,
    connection,
    maxPayload: connection?.server.maxPayload ?? USUAL_MAX_PAYLOAD,
    signal,
  })
  const started = clock.monotonic()
  const failure = await pump(context, input, publisher, options.fromLine)
  if (failure !== undefined) await publisher.settle(SETTLE_MS)
  publisher.close()
  const unwritten = await rejections.close().then(
    () => undefined,
    (error: unknown) => error,
  )
  const { published, duplicates, byStream, resumeLine } = publisher
  report(context, {
    input: input.name,
    published,
    duplicates,
    byStream,
    rejections,
    ms: clock.monotonic() - started,
    isDryRun: options.dryRun === true,
    resumeLine: failure === undefined ? undefined : resumeLine,
  })
  if (failure !== undefined) throw withResume(failure, options, resumeLine)
  if (unwritten !== undefined) throw unwritten
  if (rejections.count > 0) throw fault('INPUT_REJECTED', `${rejections.count} of ${input.name}`)
}

/** Publishes until the input ends; resolves with what stopped it before. */
async function pump(context: CliContext, input: Input, publisher: LinePublisher, fromLine: number): Promise<unknown> {
  const progress = createProgress(context, { label: 'publishing', unit: 'events' })
  const { signal } = context
  if (isTyped(context, input)) context.err.line('reading events from the terminal; end with Ctrl-D')
  try {
    for await (const lines of readLines(input.chunks()))
      for (const line of lines) {
        signal.throwIfAborted()
        if (line.number >= fromLine) await publisher.take(line)
        const fraction = input.size === undefined ? undefined : input.read / Math.max(1, input.size)
        progress.update(publisher.published + publisher.duplicates, fraction)
      }
    signal.throwIfAborted()
    await publisher.finish()
    return undefined
  } catch (error) {
    return error
  } finally {
    progress.end()
  }
}

function isTyped({ input, err }: CliContext, { size }: Input): boolean {
  return size === undefined && (input as NodeJS.ReadStream).isTTY === true && err.isTty
}

function report(context: CliContext, outcome: PublishOutcome): void {
  if (context.json) printJson(context, reportJson(outcome))
  else printReport(context.out, context.err, outcome)
}

function withResume(failure: unknown, { file }: PublishFileOptions, line: number): unknown {
  if (!isFault(failure)) return failure
  const resume = `everything before line ${line} is settled; go on with: millrace publish --file ${file} --from-line ${line}`
  const detail = failure.detail === '' ? resume : `${failure.detail}; ${resume}`
  return fault(failure.code, detail, { cause: failure, issues: failure.issues })
}
