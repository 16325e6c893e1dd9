import { open } from 'node:fs/promises'
import { fault, messageOf } from '../../error/millrace-error.js'

/** A file that lines are written to. */
export interface FileOutput {
  /** Resolves when the file system has taken it. @throws OUTPUT_UNWRITABLE */
  write(text: string): Promise<void>
  /** @throws OUTPUT_UNWRITABLE */
  close(): Promise<void>
}

/** @throws OUTPUT_UNWRITABLE */
export async function openOutput(path: string, append: boolean): Promise<FileOutput> {
  const checked = async <T>(doing: () => Promise<T>): Promise<T> => {
    try {
      return await doing()
    } catch (error) {
      throw fault('OUTPUT_UNWRITABLE', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  const file = await checked(() => open(path, append ? 'a' : 'w'))
  return {
    write: (text) => checked(() => file.writeFile(text)),
    close: () => checked(() => file.close()),
  }
}
