*SENSE:Minimize
NAME          assignment
ROWS
 N  OBJ
 E  one_count_0
 E  one_count_1
 E  one_count_2
 E  one_count_3
 E  place_0_1
 E  place_1_1
 E  place_2_2
 E  place_3_2
 E  slots_0
 E  slots_1
 E  slots_2
 L  load_0
 L  load_1
 L  load_2
COLUMNS
    MARK      'MARKER'                 'INTORG'
    T         load_0    -1.000000000000e+00
    T         load_1    -1.000000000000e+00
    T         load_2    -1.000000000000e+00
    T         OBJ        1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_0   place_0_1   1.000000000000e+00
    x_0_1_0   slots_0    1.000000000000e+00
    x_0_1_0   load_0     4.000000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_1   place_0_1   1.000000000000e+00
    x_0_1_1   slots_1    1.000000000000e+00
    x_0_1_1   load_1     4.000000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_2   place_0_1   1.000000000000e+00
    x_0_1_2   slots_2    1.000000000000e+00
    x_0_1_2   load_2     4.000000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_0   place_1_1   1.000000000000e+00
    x_1_1_0   slots_0    1.000000000000e+00
    x_1_1_0   load_0     4.200000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_1   place_1_1   1.000000000000e+00
    x_1_1_1   slots_1    1.000000000000e+00
    x_1_1_1   load_1     4.200000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_2   place_1_1   1.000000000000e+00
    x_1_1_2   slots_2    1.000000000000e+00
    x_1_1_2   load_2     4.200000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_0   place_2_2   1.000000000000e+00
    x_2_2_0   slots_0    1.000000000000e+00
    x_2_2_0   load_0     6.900000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_1   place_2_2   1.000000000000e+00
    x_2_2_1   slots_1    1.000000000000e+00
    x_2_2_1   load_1     6.900000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_2   place_2_2   1.000000000000e+00
    x_2_2_2   slots_2    1.000000000000e+00
    x_2_2_2   load_2     6.900000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_0   place_3_2   1.000000000000e+00
    x_3_2_0   slots_0    1.000000000000e+00
    x_3_2_0   load_0     6.100000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_1   place_3_2   1.000000000000e+00
    x_3_2_1   slots_1    1.000000000000e+00
    x_3_2_1   load_1     6.100000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_2   place_3_2   1.000000000000e+00
    x_3_2_2   slots_2    1.000000000000e+00
    x_3_2_2   load_2     6.100000000000e+01
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_0_1     one_count_0   1.000000000000e+00
    y_0_1     place_0_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_1_1     one_count_1   1.000000000000e+00
    y_1_1     place_1_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_2_2     one_count_2   1.000000000000e+00
    y_2_2     place_2_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_3_2     one_count_3   1.000000000000e+00
    y_3_2     place_3_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
RHS
    RHS       one_count_0   1.000000000000e+00
    RHS       one_count_1   1.000000000000e+00
    RHS       one_count_2   1.000000000000e+00
    RHS       one_count_3   1.000000000000e+00
    RHS       place_0_1   0.000000000000e+00
    RHS       place_1_1   0.000000000000e+00
    RHS       place_2_2   0.000000000000e+00
    RHS       place_3_2   0.000000000000e+00
    RHS       slots_0    2.000000000000e+00
    RHS       slots_1    2.000000000000e+00
    RHS       slots_2    2.000000000000e+00
    RHS       load_0     0.000000000000e+00
    RHS       load_1     0.000000000000e+00
    RHS       load_2     0.000000000000e+00
BOUNDS
 LO BND       T          1.140000000000e+02
 UP BND       T          1.220000000000e+02
 BV BND       x_0_1_0 
 BV BND       x_0_1_1 
 BV BND       x_0_1_2 
 BV BND       x_1_1_0 
 BV BND       x_1_1_1 
 BV BND       x_1_1_2 
 UP BND       x_2_2_0    2.000000000000e+00
 UP BND       x_2_2_1    2.000000000000e+00
 UP BND       x_2_2_2    2.000000000000e+00
 UP BND       x_3_2_0    2.000000000000e+00
 UP BND       x_3_2_1    2.000000000000e+00
 UP BND       x_3_2_2    2.000000000000e+00
 BV BND       y_0_1   
 BV BND       y_1_1   
 BV BND       y_2_2   
 BV BND       y_3_2   
ENDATA
