/** Completion for shells, made from the verbs and options of the command line itself. */
import type { Command, Option } from "commander";
import { Argument } from "commander";
import { methods } from "vitrail";
import type { CommonFlags } from "../flags.js";
import { exit } from "../problem.js";
import type { RunVerb } from "./verb.js";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

export function completionVerb(program: Command, run: RunVerb): void {
  program
    .command("completion")
    .description('print a completion script, e.g. eval "$(vitrail completion bash)"')
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .action((shell: Shell) =>
      run({} as CommonFlags, async (terminal) => {
        terminal.print(scripts[shell](program.commands));
        return exit.done;
      }),
    );
}

/** What may follow an option, where there is a list. */
function valuesOf({ argChoices, long }: Option): readonly string[] {
  if (argChoices) return argChoices;
  return long === "--method" || long === "--methods" ? methods.map(({ id }) => id) : [];
}

const flagsOf = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag !== undefined);

/** Options where a dash was typed, values after an option that has a list, else files. */
function bash(verbs: readonly Command[]): string {
  const names = verbs.map((verb) => verb.name()).join(" ");
  const options = verbs.map((verb) => `    ${verb.name()}) options="${verb.options.flatMap(flagsOf).join(" ")}" ;;`);
  const lists = verbs.flatMap((verb) =>
    verb.options.flatMap((option) => {
      const values = valuesOf(option);
      const keys = flagsOf(option).map((flag) => `${verb.name()}:${flag}`);
      return values.length > 0 ? [`    ${keys.join("|")}) words="${values.join(" ")}" ;;`] : [];
    }),
  );
  return `_vitrail() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="\${COMP_WORDS[1]}"
  local words="" options=""
  case "$verb" in
${options.join("\n")}
  esac
  case "$verb:$previous" in
${lists.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names}"
  elif [ "$verb" = completion ]; then words="${shells.join(" ")}"
  elif [ -z "$words" ] && [ "\${current#-}" != "$current" ]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _vitrail vitrail
`;
}

const zsh = (verbs: readonly Command[]): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(verbs)}`;

function fish(verbs: readonly Command[]): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const lines = verbs.flatMap((verb) => [
    `complete -c vitrail -n __fish_use_subcommand -a ${verb.name()} -d ${quoted(verb.description())}`,
    ...verb.options.map((option) => {
      const flags = [
        ...(option.short ? [`-s ${option.short.slice(1)}`] : []),
        ...(option.long ? [`-l ${option.long.slice(2)}`] : []),
      ];
      const values = valuesOf(option);
      const list = values.length > 0 ? [`-x -a ${quoted(values.join(" "))}`] : option.required ? ["-r"] : [];
      const rest = [...flags, ...list, `-d ${quoted(option.description)}`].join(" ");
      return `complete -c vitrail -n '__fish_seen_subcommand_from ${verb.name()}' ${rest}`;
    }),
  ]);
  return `${lines.join("\n")}\ncomplete -c vitrail -n '__fish_seen_subcommand_from completion' -x -a '${shells.join(" ")}'\n`;
}

const scripts: Readonly<Record<Shell, (verbs: readonly Command[]) => string>> = { bash, zsh, fish };
