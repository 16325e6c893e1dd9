import { leftoverMerges, removeStream, requireLeftover } from '../../broker/leftover-merges.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { bytes, counted } from '../table.js'

export interface RemoveFlags {
  readonly dryRun?: boolean
}

/**
 * Removes a stream that merged the inputs of a pipeline which is no more; no other stream.
 * @throws STREAM_NOT_LEFT_OVER, STREAM_NOT_FOUND; what reading the declarations throws, errors of the broker
 */
export async function removeCommand(context: CliContext, name: string, flags: RemoveFlags): Promise<void> {
  const { out, json } = context
  const dryRun = flags.dryRun === true
  const { streams } = await context.deployment({ rules: false })
  const connection = await context.connect()
  const merge = await requireLeftover(connection, streams, name)
  if (!dryRun) await removeStream(connection, name)
  const left = (await leftoverMerges(connection, streams)).map(({ stream }) => stream)
  if (json) return printJson(context, { ...merge, removed: !dryRun, left })
  const held = `${counted(merge.messages, 'message')}, ${bytes(merge.bytes)}: copies of ${merge.inputs.join(', ')}`
  out.line(`${out.style('red', '-')} ${name}  ${out.style('red', dryRun ? 'remove' : 'removed')}`)
  out.line(`    ${held}`)
}
