import { fault } from '../../error/millrace-error.js'
import { compareAudit } from '../../replay/audit/compare-audit.js'
import { readAudit, type AuditPart, type AuditSummary, type NumberedLine } from '../../replay/audit/read-audit.js'
import type { CliContext } from '../context.js'
import { readLines } from '../input/lines.js'
import { openInput } from '../input/open-input.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { counted } from '../table.js'

export interface VerifyFlags {
  readonly againstStream?: boolean
  readonly hash?: string
}

/**
 * Verifies an audit export.
 * @throws AUDIT_BROKEN, AUDIT_DIFFERS, STREAM_REPLACED, INPUT_UNREADABLE, INTERRUPTED and errors of the broker
 */
export async function verifyCommand(context: CliContext, file: string, flags: VerifyFlags): Promise<void> {
  const { signal, clock } = context
  const input = await openInput(context, file)
  const progress = createProgress(context, { label: 'verifying', unit: 'lines' })
  const lines = numbered(input.chunks(), (number) =>
    progress.update(number, input.size === undefined ? undefined : input.read / Math.max(1, input.size)),
  )
  try {
    const parts = readAudit(lines)
    const compared =
      flags.againstStream === true
        ? await compareAudit(await orStopped(context.connect(), signal), parts, { clock, signal })
        : { ...(await summaryOf(parts)), same: undefined, gone: undefined }
    progress.end()
    signal.throwIfAborted()
    if (flags.hash !== undefined && flags.hash.toLowerCase() !== compared.hash)
      throw fault('AUDIT_BROKEN', `it ends with the hash ${compared.hash}: it was written anew`)
    print(context, compared)
  } catch (error) {
    // a file that was not read to its end has none
    signal.throwIfAborted()
    throw error
  } finally {
    progress.end()
  }
}

type Verified = AuditSummary & { readonly same?: number | undefined; readonly gone?: number | undefined }

function print(context: CliContext, { header, messages, hash, same, gone }: Verified): void {
  const { stream, subject, first, last } = header
  if (context.json)
    return printJson(context, { stream, subject, first, last, messages, hash, same: same ?? null, gone: gone ?? null })
  const { out } = context
  out.line(`${out.style('green', 'whole')}  ${counted(messages, 'message')} of ${stream}, sequence ${first} to ${last}`)
  if (same !== undefined) out.line(`same   ${counted(same, 'message')} in the stream`)
  if (gone !== undefined && gone > 0) out.line(`gone   ${counted(gone, 'message')} that the stream has let go since`)
  out.line(`hash   ${hash}`)
}

async function summaryOf(parts: AsyncGenerator<AuditPart, AuditSummary>): Promise<AuditSummary> {
  for (;;) {
    const { done, value } = await parts.next()
    if (done === true) return value
  }
}

async function* numbered(
  chunks: AsyncIterable<Uint8Array>,
  onLine: (number: number) => void,
): AsyncGenerator<NumberedLine, void> {
  for await (const lines of readLines(chunks)) {
    for (const line of lines) {
      if (line.kind === 'broken') {
        const { number, problem: detail } = line
        throw fault('AUDIT_BROKEN', `line ${number}: ${detail}`, { issues: [{ line: number, detail }] })
      }
      yield line
    }
    const last = lines.at(-1)
    if (last !== undefined) onLine(last.number)
  }
}
