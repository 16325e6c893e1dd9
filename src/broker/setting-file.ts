import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fault } from '../error/millrace-error.js'
import type { Given } from './connection-sources.js'

/**
 * The path of a file that a setting names, with a leading `~` filled in, once it can be read.
 * @throws SETTING_INVALID
 */
export async function settingFile({ value, from }: Given, env: NodeJS.ProcessEnv): Promise<string> {
  const path = /^~(?=$|[/\\])/.test(value)
    ? join(env['HOME'] || env['USERPROFILE'] || homedir(), value.slice(1))
    : value
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw fault('SETTING_INVALID', `${from}: ${(error as Error).message}`, { cause: error })
  }
  return path
}
