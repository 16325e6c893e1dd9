import { checkContracts } from '../../event/compatibility/check-contracts.js'
import { updateRecord } from '../../event/compatibility/contract-record.js'
import { formatRecord } from '../../event/compatibility/format-record.js'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { counted } from '../table.js'
import { findingIssue } from './print-findings.js'
import { contextContracts, writeWhole } from './record-file.js'

export interface RecordFlags {
  readonly acceptBreaks?: readonly string[]
  readonly dryRun?: boolean
}

/**
 * Writes the contracts of each context to its file. Nothing is written when something breaks that is not accepted.
 * @throws CONTRACT_BREAKS, CONTRACTS_RECORD_INVALID, DECLARATION_UNKNOWN, OUTPUT_UNWRITABLE, and those of the
 *   declarations
 */
export async function recordCommand(context: CliContext, flags: RecordFlags): Promise<void> {
  const contexts = await contextContracts(await context.deployment({ rules: false }))
  const acceptBreaks = new Set(flags.acceptBreaks ?? [])
  const known = new Set(contexts.flatMap(typesOf))
  const stray = [...acceptBreaks].find((type) => !known.has(type))
  if (stray !== undefined)
    throw fault('DECLARATION_UNKNOWN', `type ${JSON.stringify(stray)}; there are: ${[...known].sort().join(', ')}`)
  const breaks = contexts.flatMap(({ file, record, declared }) =>
    checkContracts(record, declared)
      .filter(({ severity, type }) => severity === 'break' && !acceptBreaks.has(type))
      .map((finding) => findingIssue(finding, file)),
  )
  const [first] = breaks
  if (first !== undefined) throw fault('CONTRACT_BREAKS', 'nothing was written', { issues: breaks })
  const files: { file: string; contracts: number; written: boolean }[] = []
  for (const { file, text, record, declared } of contexts) {
    const next = formatRecord(updateRecord(record, declared, { acceptBreaks }))
    const written = next !== text && (text !== undefined || declared.length > 0)
    if (written && flags.dryRun !== true) await writeWhole(file, next)
    files.push({ file, contracts: declared.length, written })
  }
  if (context.json) return printJson(context, { files, dryRun: flags.dryRun === true })
  const verb = flags.dryRun === true ? 'would write' : 'wrote'
  for (const { file, contracts, written } of files)
    context.out.line(`${written ? verb : 'as it is'}  ${file}  ${counted(contracts, 'contract')}`)
}

function typesOf({ record, declared }: Awaited<ReturnType<typeof contextContracts>>[number]): readonly string[] {
  return [...Object.keys(record.contracts), ...declared.map(({ contract }) => contract.type)]
}
