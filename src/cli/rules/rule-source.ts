import { stat } from 'node:fs/promises'
import { fault, isFault } from '../../error/millrace-error.js'
import type { Rule } from '../../cep/rule.js'
import { loadRule, ruleFilesIn } from '../../runtime/discover.js'
import type { Deployment } from '../../runtime/deployment.js'

/**
 * A rule by the path of its file, or by its name in `streams/`. Other rules may have mistakes.
 * @throws RULE_INVALID, DECLARATION_UNKNOWN naming the rules that there are
 */
export async function ruleBy(given: string, deployment: Deployment): Promise<Rule> {
  if (/\.ya?ml$/.test(given) || (await exists(given))) return loadRule(given, deployment.registry)
  const known: string[] = []
  for (const path of await ruleFilesIn(deployment.folder)) {
    try {
      const rule = await loadRule(path, deployment.registry)
      if (rule.name === given) return rule
      known.push(rule.name)
    } catch (error) {
      if (!isFault(error, 'RULE_INVALID')) throw error // another rule’s mistakes do not concern this one
    }
  }
  throw fault('DECLARATION_UNKNOWN', `rule ${JSON.stringify(given)}; there are: ${known.join(', ')}`)
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false // then it is the name of a rule, or reading it says what is wrong
  }
}
