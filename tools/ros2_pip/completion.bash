# Completes `ros2 …` with the tab key: source it in bash. ./run shell does so by itself.
_face_af_ros2() {
    local IFS=$'\n'
    COMPREPLY=($(python -m ros2_pip --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _face_af_ros2 ros2
