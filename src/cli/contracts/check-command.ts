import { CATALOGUE } from '../../error/catalogue.js'
import { checkContracts } from '../../event/compatibility/check-contracts.js'
import type { Compatibility } from '../../event/contract.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { counted } from '../table.js'
import { codeOf, printFindings, type PlacedFinding } from './print-findings.js'
import { tryRecording, type TriedRecording } from './try-recording.js'
import { contextContracts } from './record-file.js'

export interface CheckFlags {
  readonly mode?: Compatibility
  readonly recording?: readonly string[]
}

/**
 * Compares the contracts of the code with the recorded ones, and reads recordings with them. Exit code 5 when something
 * breaks or is not recorded.
 * @throws CONTRACTS_RECORD_INVALID, INPUT_UNREADABLE, and those of the declarations
 */
export async function checkCommand(context: CliContext, { mode, recording = [] }: CheckFlags): Promise<void> {
  const deployment = await context.deployment({ rules: false })
  const contexts = await contextContracts(deployment)
  const findings = contexts.flatMap(({ file, record, declared }) =>
    checkContracts(record, declared, { mode }).map((finding): PlacedFinding => ({ file, ...finding })),
  )
  const recordings: TriedRecording[] = []
  for (const file of recording) recordings.push(await tryRecording(context, deployment.registry, file))
  const contracts = contexts.reduce((sum, { declared }) => sum + declared.length, 0)
  if (context.json)
    printJson(context, {
      contracts,
      findings: findings.map((finding) => ({ code: codeOf(finding), ...finding })),
      recordings,
    })
  else print(context, contracts, findings, recordings)
  const failed = findings.map(codeOf).find((code) => code !== undefined)
  if (failed !== undefined) context.exitWith(CATALOGUE[failed].exit)
  else if (recordings.some(({ problems }) => problems.length > 0)) context.exitWith(CATALOGUE.CONTRACT_BREAKS.exit)
}

function print(
  { out }: CliContext,
  contracts: number,
  findings: readonly PlacedFinding[],
  recordings: readonly TriedRecording[],
): void {
  printFindings(out, findings)
  for (const { file, events, others, problems } of recordings) {
    out.line(
      `${file}: ${counted(events, 'event')} read, ${others} of other types, ${counted(problems.length, 'problem')}`,
    )
    for (const { line, code, detail } of problems) out.line(`  line ${line}: ${code} ${detail}`)
  }
  const number = (severity: string): number => findings.filter((each) => each.severity === severity).length
  const [breaks, behind] = [number('break'), number('unrecorded')]
  out.line(
    `${counted(contracts, 'contract')}: ${
      breaks + behind === 0 ? 'as recorded, nothing breaks' : `${counted(breaks, 'break')}, ${behind} not recorded`
    }`,
  )
}
