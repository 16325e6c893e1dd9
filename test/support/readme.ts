// What the README shows, taken out of it.

/** Code blocks that begin with a comment which names their file, by path. */
export function filesOf(markdown: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const [, text = ''] of markdown.matchAll(/^```(?:ts|yaml)\n([\s\S]*?)^```$/gm)) {
    const path = /^(?:\/\/|#) ([\w./-]+)\n/.exec(text)?.[1]
    if (path !== undefined) files[path] = text
  }
  return files
}

/** Commands of its shell blocks, one a line, without comments; `a && b` are two. */
export function commandsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, text = '']) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .flatMap((line) => line.split(' && '))
    .filter((line) => line !== '')
}

/** What is wrong with commands, as far as it can be seen without running them. */
export function checkCommands(
  commands: readonly string[],
  known: { readonly scripts: readonly string[]; readonly millrace: readonly string[] },
): string[] {
  return commands.flatMap((command) => {
    const script = /^npm (?:run (?:-s )?)?([\w:-]+)/.exec(command)?.[1]
    if (/^npm (ci|init|install|pkg) /.test(`${command} `)) return []
    const name = /^npx millrace ([\w-]+)/.exec(command)?.[1]
    if (script !== undefined && known.scripts.includes(script)) return []
    if (name !== undefined && known.millrace.includes(name)) return []
    return [`there is no ${command}`]
  })
}
