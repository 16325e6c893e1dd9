import { hostname } from 'node:os'
import { isFault } from '../../error/millrace-error.js'
import type { RepartitionOptions, RepartitionReport } from '../../kernel/repartition/repartition-options.js'
import { planRepartition, repartition } from '../../kernel/repartition/repartition.js'
import { processorId } from '../../kernel/processor.js'
import { streamNamed } from '../../runtime/deployment.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { processorNamed } from '../parked/parked-keys.js'
import { count, counted } from '../table.js'
import { printRepartitionPlan, repartitionProgress } from './print-repartition.js'
import { underwayIn } from './underway.js'

export interface RepartitionFlags {
  readonly to: number
  readonly dryRun?: boolean
  /** Processors whose state is left behind, or ended. */
  readonly cut?: readonly string[]
  /** In ms. */
  readonly wait: number
  readonly group: string
}

/**
 * Changes the number of partitions of a stream, or goes on with a change that was ended. With `--dry-run` it says what
 * that would come to, and what speaks against it, and changes nothing.
 * @throws DECLARATION_UNKNOWN; what repartition throws, and reading the declarations
 */
export async function repartitionCommand(context: CliContext, name: string, flags: RepartitionFlags): Promise<void> {
  const { clock, json, out, err, signal, log } = context
  const deployment = await context.deployment()
  const stream = streamNamed(deployment, name)
  const processors = processorsOf(deployment)
  const cut = new Set((flags.cut ?? []).map((one) => processorId(processorNamed(processors, one))))
  const connection = await context.connect()
  const options: RepartitionOptions = {
    connection,
    registry: deployment.registry,
    clock,
    log,
    owner: `${hostname()}/${process.pid}`,
    group: flags.group,
    processors,
    stream,
    to: flags.to,
    cut,
    patience: flags.wait,
    signal,
  }
  const plan = await planRepartition(options)
  if (flags.dryRun === true) return json ? printJson(context, plan) : printRepartitionPlan(out, plan)
  if (!json && plan.state !== 'nothing') printRepartitionPlan(err, plan)
  const progress = repartitionProgress(context)
  try {
    const report = await repartition({ ...options, onProgress: progress.show })
    progress.end()
    if (json) printJson(context, { ...report, declared: stream.partitions })
    else printReport(context, report, stream.partitions)
  } catch (error) {
    progress.end()
    if (!json && !isFault(error, 'REPARTITION_UNDERWAY')) await sayWhereItStands(context, name)
    throw error
  }
}

function printReport({ out }: CliContext, report: RepartitionReport, declared: number): void {
  const { stream, from, to, outcome, moved } = report
  if (outcome === 'taken-back') return out.line(`${stream} has ${to} partitions, as before; everything goes on`)
  if (outcome === 'nothing') out.line(`${stream} has ${to} partitions already`)
  else {
    const keys = moved.reduce((sum, { entries }) => sum + entries, 0)
    const moves = `${counted(moved.length, 'processor')} and the state of ${counted(keys, 'key')} moved`
    out.line(`${stream} has ${to} partitions in place of ${from}; ${moves}`)
    const parked = moved.reduce((sum, { parkedKeys }) => sum + parkedKeys, 0)
    if (parked > 0) out.line(`${count(parked)} parked with their events`)
  }
  if (declared === to) return
  out.line(
    `Declare it: partitions: ${to} in stream.ts of ${stream}, in place of ${declared}, and start the processes anew.`,
  )
  out.line('Those that still have the former number run none of its processors.')
}

/** After an error: whether there is something to be finished. */
async function sayWhereItStands(context: CliContext, name: string): Promise<void> {
  const { err } = context
  try {
    const connection = await context.connect()
    const underway = (await underwayIn(connection, await context.deployment())).find(({ stream }) => stream === name)
    if (underway === undefined) return err.line(`${name} is as it was.`)
    const { from, to, switched } = underway
    const again = `millrace streams repartition ${name} --to`
    err.line(`${name} is on its way from ${from} to ${to} partitions; what reads it stands still until then.`)
    err.line(
      switched
        ? `Finish it with: ${again} ${to}`
        : `Finish it with: ${again} ${to}; take it back with: ${again} ${from}`,
    )
  } catch {
    err.line(`Where ${name} stands cannot be read now; look with millrace status.`)
  }
}
