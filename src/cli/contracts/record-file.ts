import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { isCommandContract } from '../../actor/define-command.js'
import { fault, messageOf } from '../../error/millrace-error.js'
import {
  EMPTY_RECORD,
  parseRecord,
  type ContractsRecord,
  type DeclaredContract,
} from '../../event/compatibility/contract-record.js'
import type { Deployment } from '../../runtime/deployment.js'

/** One file for each context: a change of a context is one diff, and two branches meet in one place. */
export const RECORD_FILE = 'contracts.lock.json'

/** What a context declares, and what is recorded of it. */
export interface ContextContracts {
  /** Path of the file, from the working directory. */
  readonly file: string
  /** What it has; undefined: there is none. */
  readonly text: string | undefined
  readonly record: ContractsRecord
  readonly declared: readonly DeclaredContract[]
}

/** Types of Millrace’s own, which users cannot change. */
const OWN = 'millrace.'

/**
 * The contexts of a deployment, with their records.
 * @throws CONTRACTS_RECORD_INVALID, INPUT_UNREADABLE
 */
export async function contextContracts(deployment: Deployment): Promise<readonly ContextContracts[]> {
  const byFolder = new Map<string, DeclaredContract[]>()
  for (const folder of deployment.contexts?.values() ?? []) byFolder.set(folder, [])
  for (const contract of deployment.registry.contracts) {
    const home = deployment.homes.get(contract.type)?.name
    const folder = home === undefined ? undefined : deployment.contexts?.get(home)
    if (folder === undefined || contract.type.startsWith(OWN)) continue
    byFolder.get(folder)?.push({ contract, kind: isCommandContract(contract) ? 'command' : 'event' })
  }
  return Promise.all([...byFolder].map(([folder, declared]) => readContext(folder, declared)))
}

async function readContext(folder: string, declared: readonly DeclaredContract[]): Promise<ContextContracts> {
  const file = relative(process.cwd(), join(folder, RECORD_FILE))
  const text = await readIfThere(file)
  return { file, text, record: text === undefined ? EMPTY_RECORD : parseRecord(text, file), declared }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw fault('INPUT_UNREADABLE', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** Writes a file in one step, so that who reads it never sees a part. @throws OUTPUT_UNWRITABLE */
export async function writeWhole(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`
  try {
    await writeFile(beside, text)
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw fault('OUTPUT_UNWRITABLE', `${file}: ${messageOf(error)}`, { cause: error })
  }
}
