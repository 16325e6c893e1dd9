import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { StoreFile } from '../../replay/archive/archive-aggregate.js'

/**
 * Files of a folder, each whole or not there: it is written beside, brought to its disk, and renamed. The folder is made.
 * @throws OUTPUT_UNWRITABLE, then and later
 */
export async function archiveFolder(folder: string): Promise<StoreFile> {
  await checked(folder, () => mkdir(folder, { recursive: true }))
  return async (name, fill) => {
    const path = join(folder, name)
    const part = `${path}.part`
    const file = await checked(part, () => open(part, 'w'))
    try {
      const filled = await fill((text) => checked(part, () => file.writeFile(text)))
      await checked(part, () => file.sync())
      await checked(part, () => rename(part, path))
      await checked(folder, () => synced(folder))
      return filled
    } finally {
      await file.close()
    }
  }
}

/** The name of a file is on the disk when its folder is. */
async function synced(folder: string): Promise<void> {
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function checked<T>(path: string, doing: () => Promise<T>): Promise<T> {
  try {
    return await doing()
  } catch (error) {
    if (isFault(error)) throw error
    throw fault('OUTPUT_UNWRITABLE', `${path}: ${messageOf(error)}`, { cause: error })
  }
}
