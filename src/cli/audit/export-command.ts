import { assertAggregateType, recordFilter, recordSubjects } from '../../actor/aggregate-subject.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import { exportAudit } from '../../replay/audit/export-audit.js'
import { streamNamed } from '../../runtime/deployment.js'
import { isCapture } from '../../broker/capture-stream.js'
import { isWork } from '../../broker/work-stream.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { openOutput } from '../replay/file-output.js'
import { counted } from '../table.js'

export interface ExportFlags {
  readonly stream?: string
  readonly actor?: string
  readonly id?: string
  readonly fromSeq?: number
  readonly toSeq?: number
}

/**
 * Writes an audit export.
 * @throws USAGE, DECLARATION_UNKNOWN, AGGREGATE_ID_INVALID, OUTPUT_UNWRITABLE, and what exportAudit throws
 */
export async function exportCommand(context: CliContext, file: string, flags: ExportFlags): Promise<void> {
  const { out, err, clock, signal, json } = context
  if (flags.id !== undefined && flags.actor === undefined) throw fault('USAGE', '--id is of an --actor')
  const stream = await streamOf(context, flags)
  const connection = await orStopped(context.connect(), signal)
  const toStdout = file === '-'
  const output = toStdout ? undefined : await openOutput(file, false)
  const progress = createProgress(context, { label: 'exporting', unit: 'messages' })
  try {
    const exporting = exportAudit(connection, {
      stream: stream.name,
      subject: subjectOf(stream, flags),
      first: flags.fromSeq,
      last: flags.toSeq,
      clock,
      signal,
      write: async (text) => {
        if (output !== undefined) return output.write(text)
        out.write(text)
        await out.drained()
      },
      onProgress: (messages, fraction) => progress.update(messages, fraction),
    })
    const { header, messages, hash } = await settled(context, exporting)
    progress.end()
    const { first, last } = header
    if (json && !toStdout) return printJson(context, { file, stream: stream.name, first, last, messages, hash })
    err.line(`${counted(messages, 'message')} of ${stream.name}, sequence ${first} to ${last}`)
    err.line(`hash ${hash}: keep it elsewhere, and give it to millrace audit verify --hash`)
  } finally {
    progress.end()
    await output?.close()
  }
}

async function streamOf(context: CliContext, { stream, actor }: ExportFlags): Promise<StreamDeclaration> {
  const deployment = await context.deployment({ rules: false })
  if (stream !== undefined) return streamNamed(deployment, stream)
  if (actor !== undefined) {
    const found = deployment.actors.find((one) => one.actor.name === actor)
    if (found !== undefined) return found.stream
    const known = deployment.actors.map((one) => one.actor.name)
    throw fault('DECLARATION_UNKNOWN', `actor ${JSON.stringify(actor)}; there are: ${known.join(', ') || 'no actors'}`)
  }
  const [only, ...others] = deployment.streams.filter((one) => !isWork(one) && !isCapture(one))
  if (only !== undefined && others.length === 0) return only
  throw fault('USAGE', `name the --stream: ${deployment.streams.map(({ name }) => name).join(', ')}`)
}

function subjectOf(stream: StreamDeclaration, { actor, id }: ExportFlags): string {
  if (actor === undefined) return `${stream.root}.>`
  assertAggregateType(actor)
  return id === undefined ? recordFilter(stream.root, actor) : recordSubjects(stream, actor, id)
}
