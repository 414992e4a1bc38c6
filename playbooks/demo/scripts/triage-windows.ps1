# Looks, changes nothing: who is logged on, what runs, who talks to whom, what starts by itself.
param([int]$Newest = 40)

$ErrorActionPreference = 'SilentlyContinue'

"== $env:COMPUTERNAME, $(Get-Date -Format s)"
'-- logged on'
quser

'-- newest processes'
Get-CimInstance Win32_Process |
    Sort-Object CreationDate -Descending |
    Select-Object -First $Newest CreationDate, ProcessId, ParentProcessId, Name, CommandLine |
    Format-Table -AutoSize -Wrap

'-- connections to other networks'
Get-NetTCPConnection -State Established |
    Where-Object RemoteAddress -NotMatch '^(127\.|10\.|::1)' |
    Select-Object LocalPort, RemoteAddress, RemotePort, OwningProcess |
    Format-Table -AutoSize

'-- started by itself'
Get-CimInstance Win32_StartupCommand | Select-Object Name, Command, User | Format-Table -AutoSize -Wrap
Get-ScheduledTask | Where-Object { $_.State -ne 'Disabled' -and $_.TaskPath -notlike '\Microsoft\*' } |
    Select-Object TaskPath, TaskName | Format-Table -AutoSize
