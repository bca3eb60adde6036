import Foundation
import Synchronization

/// A shell that outlives this process by a moment and clears away what it left behind: a directory,
/// a mounted volume, and members, of which one that is stopped does not notice by itself that nobody holds
/// its standard input any more.
final class Guardian: Sendable {
    static let shared = Guardian()

    private let input: Mutex<FileHandle?>

    private init() {
        let script = """
            trap '' INT TERM HUP
            running=" "
            volume=
            directory=
            while read -r verb what; do
                case "$verb$running" in
                    mounted*) volume="$what" ;;
                    unmounted*) volume= ;;
                    made*) directory="$what" ;;
                    removed*) directory= ;;
                    watch*) running="$running$what " ;;
                    forget*" $what "*) running="${running%% $what *} ${running#* $what }" ;;
                esac
            done
            for pid in $running; do kill -9 "$pid" 2>/dev/null; done
            [ -n "$volume" ] && umount -l "$volume"
            [ -n "$directory" ] && rm -rf "$directory"
            """
        let pipe = Pipe()
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", script]
        shell.standardInput = pipe
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        // Without a shell there is only the ordinary way to end the members.
        input = Mutex((try? shell.run()).map { pipe.fileHandleForWriting })
    }

    /// One directory at a time.
    func made(_ directory: String) { tell("made \(directory)\n") }
    func removed() { tell("removed\n") }
    /// One volume at a time.
    func mounted(_ path: String) { tell("mounted \(path)\n") }
    func unmounted() { tell("unmounted\n") }
    func watch(_ id: Int32) { tell("watch \(id)\n") }
    func forget(_ id: Int32) { tell("forget \(id)\n") }

    private func tell(_ line: String) {
        input.withLock { try? $0?.write(contentsOf: Data(line.utf8)) }
    }
}
