import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TEST = fileURLToPath(new URL('..', import.meta.url))

/**
 * Test files whose path below test/ matches, in the order of their paths.
 * @param {string} pattern
 */
export function testFiles(pattern) {
  const wanted = new RegExp(pattern, 'i')
  return readdirSync(TEST, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && wanted.test(file))
    .sort()
}

/** @param {string} file */
export const pathOf = (file) => join(TEST, file)
