import { stat } from 'node:fs/promises'
import { basename, relative } from 'node:path'
import { fault, isFault } from '../../error/millrace-error.js'
import type { Rule } from '../../cep/rule/rule.js'
import { loadRule, ruleFilesIn } from '../../runtime/discover.js'
import type { Deployment } from '../../runtime/deployment.js'

/**
 * A rule by the path of its file, or by its name in `streams/`. Other rules may have mistakes.
 * @throws RULE_INVALID, DECLARATION_UNKNOWN naming the rules that there are
 */
export async function ruleBy(given: string, deployment: Deployment): Promise<Rule> {
  if (/\.(ya?ml|ts|js|mjs)$/.test(given) || (await exists(given))) return loadRule(given, deployment.registry)
  const known: string[] = []
  const broken: string[] = []
  for (const path of await ruleFilesIn(deployment.folder)) {
    try {
      const rule = await loadRule(path, deployment.registry)
      if (rule.name === given) return rule
      known.push(rule.name)
    } catch (error) {
      if (!isFault(error, 'RULE_INVALID') || basename(path).startsWith(`${given}.`)) throw error
      broken.push(relative(process.cwd(), path)) // another rule’s mistakes do not concern this one
    }
  }
  const unread = broken.length === 0 ? '' : `; with mistakes, so without a name: ${broken.join(', ')}`
  throw fault('DECLARATION_UNKNOWN', `rule ${JSON.stringify(given)}; there are: ${known.join(', ')}${unread}`)
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false // then it is the name of a rule, or reading it says what is wrong
  }
}
