import { checkContracts } from '../../event/compatibility/check-contracts.js'
import type { DeclaredContract } from '../../event/compatibility/contract-record.js'
import { recordedSchema } from '../../event/compatibility/recorded-schema.js'
import { fault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { printTable } from '../table.js'
import { contextContracts, type ContextContracts } from './record-file.js'

/** One contract, as the code and its record have it. */
interface Shown {
  readonly type: string
  readonly kind: string
  readonly version: number
  /** The oldest version that is read. */
  readonly oldest: number
  readonly keyed: boolean
  readonly compatibility: string
  readonly recorded: 'as it is' | 'not' | 'differs' | 'broken'
  readonly file: string
}

/** Lists the contracts of a deployment, or shows one. @throws DECLARATION_UNKNOWN, CONTRACTS_RECORD_INVALID */
export async function showCommand(context: CliContext, type: string | undefined): Promise<void> {
  const contexts = await contextContracts(await context.deployment({ rules: false }))
  const all = contexts.flatMap((one) => one.declared.map((each) => ({ one, each })))
  if (type === undefined)
    return list(
      context,
      all.map(({ one, each }) => shownOf(one, each)),
    )
  const found = all.find(({ each }) => each.contract.type === type)
  if (found === undefined) {
    const nearest = nearestName(
      type,
      all.map(({ each }) => each.contract.type),
    )
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    throw fault('DECLARATION_UNKNOWN', `event or command ${JSON.stringify(type)}${hint}`)
  }
  const shown = shownOf(found.one, found.each)
  const schema = recordedSchema(found.each.contract)
  const before = found.one.record.contracts[type]
  if (context.json) return printJson(context, { ...shown, schema, before })
  const { out } = context
  const { description } = found.each.contract
  out.line(`${out.style('bold', type)}  ${shown.kind}, version ${shown.version}`)
  if (description !== undefined) out.line(description)
  out.line(`reads versions ${shown.oldest} to ${shown.version}, ${shown.keyed ? 'with' : 'without'} a key`)
  out.line(`compatibility ${shown.compatibility}; recorded: ${shown.recorded} (${shown.file})`)
  const versions = Object.entries(before?.versions ?? {}).map(
    ([version, schemas]) => `${version}${schemas.length > 1 ? ` (${schemas.length} schemas)` : ''}`,
  )
  if (versions.length > 0) out.line(`recorded versions: ${versions.join(', ')}`)
  out.line(JSON.stringify(schema, undefined, 2))
}

function shownOf({ file, record }: ContextContracts, each: DeclaredContract): Shown {
  const { type, version, oldest, keyed = false, compatibility = 'backward' } = each.contract
  const before = record.contracts[type]
  const own = { format: 1, contracts: before === undefined ? {} : { [type]: before } } as const
  const findings = checkContracts(own, [each])
  const isBroken = findings.some(({ severity }) => severity === 'break')
  const differs = findings.some(({ severity }) => severity === 'unrecorded')
  const recorded = before === undefined ? 'not' : isBroken ? 'broken' : differs ? 'differs' : 'as it is'
  return { type, kind: each.kind, version, oldest, keyed, compatibility, recorded, file }
}

function list(context: CliContext, contracts: readonly Shown[]): void {
  if (context.json) return printJson(context, { contracts })
  printTable(
    context.out,
    [
      { title: 'type', value: ({ type }) => type },
      { title: 'kind', value: ({ kind }) => kind },
      { title: 'version', value: ({ version }) => String(version), align: 'right' },
      { title: 'reads from', value: ({ oldest }) => String(oldest), align: 'right' },
      { title: 'key', value: ({ keyed }) => (keyed ? 'yes' : 'no') },
      { title: 'compatibility', value: ({ compatibility }) => compatibility },
      { title: 'recorded', value: ({ recorded }) => recorded },
    ],
    contracts,
  )
}
