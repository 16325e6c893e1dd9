import type { CommandNode } from './command-tree.js'

/** A script that completes commands, their subcommands, flags, and files elsewhere. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', root: CommandNode): string {
  if (shell === 'fish') return fish(root)
  const body = bash(root)
  return shell === 'bash' ? body : `#compdef millrace\nautoload -U +X bashcompinit && bashcompinit\n${body}`
}

/** For each path of words, what may come next. */
function nextWords(root: CommandNode): [path: string, words: string][] {
  const found: [string, string][] = []
  const visit = (node: CommandNode, path: string): void => {
    const flags = node === root ? root.flags : [...node.flags, ...root.flags]
    found.push([path, [...node.children.map(({ name }) => name), ...new Set(flags)].join(' ')])
    for (const child of node.children) visit(child, path === '' ? child.name : `${path} ${child.name}`)
  }
  visit(root, '')
  return found
}

function bash(root: CommandNode): string {
  const cases = nextWords(root).map(([path, words]) => `    '${path}') words='${words}' ;;`)
  return `_millrace() {
  local word current path='' words=''
  current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _millrace millrace
`
}

function fish(root: CommandNode): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines: string[] = []
  const flags = (node: CommandNode, condition: string): void => {
    for (const flag of node.flags)
      lines.push(`complete -c millrace ${condition} -l ${flag.slice(2)}`.replace(/ +/g, ' '))
  }
  flags(root, '')
  for (const node of root.children) {
    lines.push(`complete -c millrace -n __fish_use_subcommand -f -a ${node.name} -d ${quoted(node.summary)}`)
    const within = `-n '__fish_seen_subcommand_from ${node.name}'`
    flags(node, within)
    for (const child of node.children)
      lines.push(`complete -c millrace ${within} -f -a ${child.name} -d ${quoted(child.summary)}`)
  }
  return `${lines.join('\n')}\n`
}
