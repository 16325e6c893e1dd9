import { readFile } from 'node:fs/promises'
import { fault, messageOf } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'

/**
 * Reads JSON that an option gives: as it is, `@file`, or `@-` for standard input.
 * @param option its name, for the error
 * @throws INPUT_UNREADABLE · USAGE it is no JSON
 */
export async function jsonArgument(context: CliContext, option: string, given: string): Promise<unknown> {
  try {
    return JSON.parse(await textOf(context, given))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw fault('USAGE', `${option} is not JSON: ${messageOf(error)}`, { cause: error })
  }
}

async function textOf({ input }: CliContext, given: string): Promise<string> {
  if (!given.startsWith('@')) return given
  try {
    if (given !== '@-') return await readFile(given.slice(1), 'utf8')
    // a pipe cuts characters of several bytes
    const chunks: Buffer[] = []
    for await (const chunk of input) chunks.push(Buffer.from(chunk as string | Uint8Array))
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
}
