*SENSE:Minimize
NAME          assignment
ROWS
 N  OBJ
 E  one_count_0
 E  one_count_1
 E  one_count_2
 E  one_count_3
 E  one_count_4
 E  one_count_5
 E  one_count_6
 E  one_count_7
 E  one_count_8
 E  one_count_9
 E  one_count_10
 E  one_count_11
 E  place_0_1
 E  place_0_2
 E  place_0_3
 E  place_1_1
 E  place_1_2
 E  place_1_3
 E  place_2_1
 E  place_2_2
 E  place_2_3
 E  place_3_1
 E  place_3_2
 E  place_3_3
 E  place_4_1
 E  place_4_2
 E  place_4_3
 E  place_5_2
 E  place_5_3
 E  place_6_2
 E  place_6_3
 E  place_7_1
 E  place_7_2
 E  place_7_3
 E  place_8_1
 E  place_8_2
 E  place_8_3
 E  place_9_1
 E  place_9_2
 E  place_9_3
 E  place_10_1
 E  place_10_2
 E  place_10_3
 E  place_11_1
 E  place_11_2
 E  place_11_3
 E  slots_0
 E  slots_1
 E  slots_2
 E  slots_3
 E  slots_4
 E  slots_5
 E  slots_6
 E  slots_7
 L  load_0
 L  load_1
 L  load_2
 L  load_3
 L  load_4
 L  load_5
 L  load_6
 L  load_7
 E  one_node_0
 E  one_node_1
 E  one_node_2
 E  one_node_3
 E  share_0
 E  share_1
 L  home_0_1_0
 L  home_0_1_1
 L  home_0_1_2
 L  home_0_1_3
 L  home_0_1_4
 L  home_0_1_5
 L  home_0_1_6
 L  home_0_1_7
 L  home_0_2_0
 L  home_0_2_1
 L  home_0_2_2
 L  home_0_2_3
 L  home_0_2_4
 L  home_0_2_5
 L  home_0_2_6
 L  home_0_2_7
 L  home_0_3_0
 L  home_0_3_1
 L  home_0_3_2
 L  home_0_3_3
 L  home_0_3_4
 L  home_0_3_5
 L  home_0_3_6
 L  home_0_3_7
 L  home_1_1_0
 L  home_1_1_1
 L  home_1_1_2
 L  home_1_1_3
 L  home_1_1_4
 L  home_1_1_5
 L  home_1_1_6
 L  home_1_1_7
 L  home_1_2_0
 L  home_1_2_1
 L  home_1_2_2
 L  home_1_2_3
 L  home_1_2_4
 L  home_1_2_5
 L  home_1_2_6
 L  home_1_2_7
 L  home_1_3_0
 L  home_1_3_1
 L  home_1_3_2
 L  home_1_3_3
 L  home_1_3_4
 L  home_1_3_5
 L  home_1_3_6
 L  home_1_3_7
 L  home_2_1_0
 L  home_2_1_1
 L  home_2_1_2
 L  home_2_1_3
 L  home_2_1_4
 L  home_2_1_5
 L  home_2_1_6
 L  home_2_1_7
 L  home_2_2_0
 L  home_2_2_1
 L  home_2_2_2
 L  home_2_2_3
 L  home_2_2_4
 L  home_2_2_5
 L  home_2_2_6
 L  home_2_2_7
 L  home_2_3_0
 L  home_2_3_1
 L  home_2_3_2
 L  home_2_3_3
 L  home_2_3_4
 L  home_2_3_5
 L  home_2_3_6
 L  home_2_3_7
 L  home_3_1_0
 L  home_3_1_1
 L  home_3_1_2
 L  home_3_1_3
 L  home_3_1_4
 L  home_3_1_5
 L  home_3_1_6
 L  home_3_1_7
 L  home_3_2_0
 L  home_3_2_1
 L  home_3_2_2
 L  home_3_2_3
 L  home_3_2_4
 L  home_3_2_5
 L  home_3_2_6
 L  home_3_2_7
 L  home_3_3_0
 L  home_3_3_1
 L  home_3_3_2
 L  home_3_3_3
 L  home_3_3_4
 L  home_3_3_5
 L  home_3_3_6
 L  home_3_3_7
 L  home_4_1_0
 L  home_4_1_1
 L  home_4_1_2
 L  home_4_1_3
 L  home_4_1_4
 L  home_4_1_5
 L  home_4_1_6
 L  home_4_1_7
 L  home_4_2_0
 L  home_4_2_1
 L  home_4_2_2
 L  home_4_2_3
 L  home_4_2_4
 L  home_4_2_5
 L  home_4_2_6
 L  home_4_2_7
 L  home_4_3_0
 L  home_4_3_1
 L  home_4_3_2
 L  home_4_3_3
 L  home_4_3_4
 L  home_4_3_5
 L  home_4_3_6
 L  home_4_3_7
 L  home_5_2_0
 L  home_5_2_1
 L  home_5_2_2
 L  home_5_2_3
 L  home_5_2_4
 L  home_5_2_5
 L  home_5_2_6
 L  home_5_2_7
 L  home_5_3_0
 L  home_5_3_1
 L  home_5_3_2
 L  home_5_3_3
 L  home_5_3_4
 L  home_5_3_5
 L  home_5_3_6
 L  home_5_3_7
 L  home_6_2_0
 L  home_6_2_1
 L  home_6_2_2
 L  home_6_2_3
 L  home_6_2_4
 L  home_6_2_5
 L  home_6_2_6
 L  home_6_2_7
 L  home_6_3_0
 L  home_6_3_1
 L  home_6_3_2
 L  home_6_3_3
 L  home_6_3_4
 L  home_6_3_5
 L  home_6_3_6
 L  home_6_3_7
 L  home_7_1_0
 L  home_7_1_1
 L  home_7_1_2
 L  home_7_1_3
 L  home_7_1_4
 L  home_7_1_5
 L  home_7_1_6
 L  home_7_1_7
 L  home_7_2_0
 L  home_7_2_1
 L  home_7_2_2
 L  home_7_2_3
 L  home_7_2_4
 L  home_7_2_5
 L  home_7_2_6
 L  home_7_2_7
 L  home_7_3_0
 L  home_7_3_1
 L  home_7_3_2
 L  home_7_3_3
 L  home_7_3_4
 L  home_7_3_5
 L  home_7_3_6
 L  home_7_3_7
 L  home_8_1_0
 L  home_8_1_1
 L  home_8_1_2
 L  home_8_1_3
 L  home_8_1_4
 L  home_8_1_5
 L  home_8_1_6
 L  home_8_1_7
 L  home_8_2_0
 L  home_8_2_1
 L  home_8_2_2
 L  home_8_2_3
 L  home_8_2_4
 L  home_8_2_5
 L  home_8_2_6
 L  home_8_2_7
 L  home_8_3_0
 L  home_8_3_1
 L  home_8_3_2
 L  home_8_3_3
 L  home_8_3_4
 L  home_8_3_5
 L  home_8_3_6
 L  home_8_3_7
 L  home_9_1_0
 L  home_9_1_1
 L  home_9_1_2
 L  home_9_1_3
 L  home_9_1_4
 L  home_9_1_5
 L  home_9_1_6
 L  home_9_1_7
 L  home_9_2_0
 L  home_9_2_1
 L  home_9_2_2
 L  home_9_2_3
 L  home_9_2_4
 L  home_9_2_5
 L  home_9_2_6
 L  home_9_2_7
 L  home_9_3_0
 L  home_9_3_1
 L  home_9_3_2
 L  home_9_3_3
 L  home_9_3_4
 L  home_9_3_5
 L  home_9_3_6
 L  home_9_3_7
 L  home_10_1_0
 L  home_10_1_1
 L  home_10_1_2
 L  home_10_1_3
 L  home_10_1_4
 L  home_10_1_5
 L  home_10_1_6
 L  home_10_1_7
 L  home_10_2_0
 L  home_10_2_1
 L  home_10_2_2
 L  home_10_2_3
 L  home_10_2_4
 L  home_10_2_5
 L  home_10_2_6
 L  home_10_2_7
 L  home_10_3_0
 L  home_10_3_1
 L  home_10_3_2
 L  home_10_3_3
 L  home_10_3_4
 L  home_10_3_5
 L  home_10_3_6
 L  home_10_3_7
 L  home_11_1_0
 L  home_11_1_1
 L  home_11_1_2
 L  home_11_1_3
 L  home_11_1_4
 L  home_11_1_5
 L  home_11_1_6
 L  home_11_1_7
 L  home_11_2_0
 L  home_11_2_1
 L  home_11_2_2
 L  home_11_2_3
 L  home_11_2_4
 L  home_11_2_5
 L  home_11_2_6
 L  home_11_2_7
 L  home_11_3_0
 L  home_11_3_1
 L  home_11_3_2
 L  home_11_3_3
 L  home_11_3_4
 L  home_11_3_5
 L  home_11_3_6
 L  home_11_3_7
COLUMNS
    MARK      'MARKER'                 'INTORG'
    T         load_0    -1.000000000000e+00
    T         load_1    -1.000000000000e+00
    T         load_2    -1.000000000000e+00
    T         load_3    -1.000000000000e+00
    T         load_4    -1.000000000000e+00
    T         load_5    -1.000000000000e+00
    T         load_6    -1.000000000000e+00
    T         load_7    -1.000000000000e+00
    T         OBJ        1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_0   place_0_1   1.000000000000e+00
    x_0_1_0   slots_0    1.000000000000e+00
    x_0_1_0   load_0     1.200000000000e+02
    x_0_1_0   home_0_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_1   place_0_1   1.000000000000e+00
    x_0_1_1   slots_1    1.000000000000e+00
    x_0_1_1   load_1     1.200000000000e+02
    x_0_1_1   home_0_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_2   place_0_1   1.000000000000e+00
    x_0_1_2   slots_2    1.000000000000e+00
    x_0_1_2   load_2     1.200000000000e+02
    x_0_1_2   home_0_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_3   place_0_1   1.000000000000e+00
    x_0_1_3   slots_3    1.000000000000e+00
    x_0_1_3   load_3     1.200000000000e+02
    x_0_1_3   home_0_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_4   place_0_1   1.000000000000e+00
    x_0_1_4   slots_4    1.000000000000e+00
    x_0_1_4   load_4     1.200000000000e+02
    x_0_1_4   home_0_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_5   place_0_1   1.000000000000e+00
    x_0_1_5   slots_5    1.000000000000e+00
    x_0_1_5   load_5     1.200000000000e+02
    x_0_1_5   home_0_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_6   place_0_1   1.000000000000e+00
    x_0_1_6   slots_6    1.000000000000e+00
    x_0_1_6   load_6     1.200000000000e+02
    x_0_1_6   home_0_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_1_7   place_0_1   1.000000000000e+00
    x_0_1_7   slots_7    1.000000000000e+00
    x_0_1_7   load_7     1.200000000000e+02
    x_0_1_7   home_0_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_0   place_0_2   1.000000000000e+00
    x_0_2_0   slots_0    1.000000000000e+00
    x_0_2_0   load_0     6.000000000000e+01
    x_0_2_0   home_0_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_1   place_0_2   1.000000000000e+00
    x_0_2_1   slots_1    1.000000000000e+00
    x_0_2_1   load_1     6.000000000000e+01
    x_0_2_1   home_0_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_2   place_0_2   1.000000000000e+00
    x_0_2_2   slots_2    1.000000000000e+00
    x_0_2_2   load_2     6.000000000000e+01
    x_0_2_2   home_0_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_3   place_0_2   1.000000000000e+00
    x_0_2_3   slots_3    1.000000000000e+00
    x_0_2_3   load_3     6.000000000000e+01
    x_0_2_3   home_0_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_4   place_0_2   1.000000000000e+00
    x_0_2_4   slots_4    1.000000000000e+00
    x_0_2_4   load_4     6.000000000000e+01
    x_0_2_4   home_0_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_5   place_0_2   1.000000000000e+00
    x_0_2_5   slots_5    1.000000000000e+00
    x_0_2_5   load_5     6.000000000000e+01
    x_0_2_5   home_0_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_6   place_0_2   1.000000000000e+00
    x_0_2_6   slots_6    1.000000000000e+00
    x_0_2_6   load_6     6.000000000000e+01
    x_0_2_6   home_0_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_2_7   place_0_2   1.000000000000e+00
    x_0_2_7   slots_7    1.000000000000e+00
    x_0_2_7   load_7     6.000000000000e+01
    x_0_2_7   home_0_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_0   place_0_3   1.000000000000e+00
    x_0_3_0   slots_0    1.000000000000e+00
    x_0_3_0   load_0     4.000000000000e+01
    x_0_3_0   home_0_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_1   place_0_3   1.000000000000e+00
    x_0_3_1   slots_1    1.000000000000e+00
    x_0_3_1   load_1     4.000000000000e+01
    x_0_3_1   home_0_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_2   place_0_3   1.000000000000e+00
    x_0_3_2   slots_2    1.000000000000e+00
    x_0_3_2   load_2     4.000000000000e+01
    x_0_3_2   home_0_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_3   place_0_3   1.000000000000e+00
    x_0_3_3   slots_3    1.000000000000e+00
    x_0_3_3   load_3     4.000000000000e+01
    x_0_3_3   home_0_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_4   place_0_3   1.000000000000e+00
    x_0_3_4   slots_4    1.000000000000e+00
    x_0_3_4   load_4     4.000000000000e+01
    x_0_3_4   home_0_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_5   place_0_3   1.000000000000e+00
    x_0_3_5   slots_5    1.000000000000e+00
    x_0_3_5   load_5     4.000000000000e+01
    x_0_3_5   home_0_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_6   place_0_3   1.000000000000e+00
    x_0_3_6   slots_6    1.000000000000e+00
    x_0_3_6   load_6     4.000000000000e+01
    x_0_3_6   home_0_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_0_3_7   place_0_3   1.000000000000e+00
    x_0_3_7   slots_7    1.000000000000e+00
    x_0_3_7   load_7     4.000000000000e+01
    x_0_3_7   home_0_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_0  place_10_1   1.000000000000e+00
    x_10_1_0  slots_0    1.000000000000e+00
    x_10_1_0  load_0     9.600000000000e+01
    x_10_1_0  home_10_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_1  place_10_1   1.000000000000e+00
    x_10_1_1  slots_1    1.000000000000e+00
    x_10_1_1  load_1     9.600000000000e+01
    x_10_1_1  home_10_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_2  place_10_1   1.000000000000e+00
    x_10_1_2  slots_2    1.000000000000e+00
    x_10_1_2  load_2     9.600000000000e+01
    x_10_1_2  home_10_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_3  place_10_1   1.000000000000e+00
    x_10_1_3  slots_3    1.000000000000e+00
    x_10_1_3  load_3     9.600000000000e+01
    x_10_1_3  home_10_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_4  place_10_1   1.000000000000e+00
    x_10_1_4  slots_4    1.000000000000e+00
    x_10_1_4  load_4     9.600000000000e+01
    x_10_1_4  home_10_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_5  place_10_1   1.000000000000e+00
    x_10_1_5  slots_5    1.000000000000e+00
    x_10_1_5  load_5     9.600000000000e+01
    x_10_1_5  home_10_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_6  place_10_1   1.000000000000e+00
    x_10_1_6  slots_6    1.000000000000e+00
    x_10_1_6  load_6     9.600000000000e+01
    x_10_1_6  home_10_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_1_7  place_10_1   1.000000000000e+00
    x_10_1_7  slots_7    1.000000000000e+00
    x_10_1_7  load_7     9.600000000000e+01
    x_10_1_7  home_10_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_0  place_10_2   1.000000000000e+00
    x_10_2_0  slots_0    1.000000000000e+00
    x_10_2_0  load_0     4.800000000000e+01
    x_10_2_0  home_10_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_1  place_10_2   1.000000000000e+00
    x_10_2_1  slots_1    1.000000000000e+00
    x_10_2_1  load_1     4.800000000000e+01
    x_10_2_1  home_10_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_2  place_10_2   1.000000000000e+00
    x_10_2_2  slots_2    1.000000000000e+00
    x_10_2_2  load_2     4.800000000000e+01
    x_10_2_2  home_10_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_3  place_10_2   1.000000000000e+00
    x_10_2_3  slots_3    1.000000000000e+00
    x_10_2_3  load_3     4.800000000000e+01
    x_10_2_3  home_10_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_4  place_10_2   1.000000000000e+00
    x_10_2_4  slots_4    1.000000000000e+00
    x_10_2_4  load_4     4.800000000000e+01
    x_10_2_4  home_10_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_5  place_10_2   1.000000000000e+00
    x_10_2_5  slots_5    1.000000000000e+00
    x_10_2_5  load_5     4.800000000000e+01
    x_10_2_5  home_10_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_6  place_10_2   1.000000000000e+00
    x_10_2_6  slots_6    1.000000000000e+00
    x_10_2_6  load_6     4.800000000000e+01
    x_10_2_6  home_10_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_2_7  place_10_2   1.000000000000e+00
    x_10_2_7  slots_7    1.000000000000e+00
    x_10_2_7  load_7     4.800000000000e+01
    x_10_2_7  home_10_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_0  place_10_3   1.000000000000e+00
    x_10_3_0  slots_0    1.000000000000e+00
    x_10_3_0  load_0     3.200000000000e+01
    x_10_3_0  home_10_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_1  place_10_3   1.000000000000e+00
    x_10_3_1  slots_1    1.000000000000e+00
    x_10_3_1  load_1     3.200000000000e+01
    x_10_3_1  home_10_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_2  place_10_3   1.000000000000e+00
    x_10_3_2  slots_2    1.000000000000e+00
    x_10_3_2  load_2     3.200000000000e+01
    x_10_3_2  home_10_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_3  place_10_3   1.000000000000e+00
    x_10_3_3  slots_3    1.000000000000e+00
    x_10_3_3  load_3     3.200000000000e+01
    x_10_3_3  home_10_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_4  place_10_3   1.000000000000e+00
    x_10_3_4  slots_4    1.000000000000e+00
    x_10_3_4  load_4     3.200000000000e+01
    x_10_3_4  home_10_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_5  place_10_3   1.000000000000e+00
    x_10_3_5  slots_5    1.000000000000e+00
    x_10_3_5  load_5     3.200000000000e+01
    x_10_3_5  home_10_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_6  place_10_3   1.000000000000e+00
    x_10_3_6  slots_6    1.000000000000e+00
    x_10_3_6  load_6     3.200000000000e+01
    x_10_3_6  home_10_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_10_3_7  place_10_3   1.000000000000e+00
    x_10_3_7  slots_7    1.000000000000e+00
    x_10_3_7  load_7     3.200000000000e+01
    x_10_3_7  home_10_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_0  place_11_1   1.000000000000e+00
    x_11_1_0  slots_0    1.000000000000e+00
    x_11_1_0  load_0     1.620000000000e+02
    x_11_1_0  home_11_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_1  place_11_1   1.000000000000e+00
    x_11_1_1  slots_1    1.000000000000e+00
    x_11_1_1  load_1     1.620000000000e+02
    x_11_1_1  home_11_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_2  place_11_1   1.000000000000e+00
    x_11_1_2  slots_2    1.000000000000e+00
    x_11_1_2  load_2     1.620000000000e+02
    x_11_1_2  home_11_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_3  place_11_1   1.000000000000e+00
    x_11_1_3  slots_3    1.000000000000e+00
    x_11_1_3  load_3     1.620000000000e+02
    x_11_1_3  home_11_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_4  place_11_1   1.000000000000e+00
    x_11_1_4  slots_4    1.000000000000e+00
    x_11_1_4  load_4     1.620000000000e+02
    x_11_1_4  home_11_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_5  place_11_1   1.000000000000e+00
    x_11_1_5  slots_5    1.000000000000e+00
    x_11_1_5  load_5     1.620000000000e+02
    x_11_1_5  home_11_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_6  place_11_1   1.000000000000e+00
    x_11_1_6  slots_6    1.000000000000e+00
    x_11_1_6  load_6     1.620000000000e+02
    x_11_1_6  home_11_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_1_7  place_11_1   1.000000000000e+00
    x_11_1_7  slots_7    1.000000000000e+00
    x_11_1_7  load_7     1.620000000000e+02
    x_11_1_7  home_11_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_0  place_11_2   1.000000000000e+00
    x_11_2_0  slots_0    1.000000000000e+00
    x_11_2_0  load_0     8.100000000000e+01
    x_11_2_0  home_11_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_1  place_11_2   1.000000000000e+00
    x_11_2_1  slots_1    1.000000000000e+00
    x_11_2_1  load_1     8.100000000000e+01
    x_11_2_1  home_11_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_2  place_11_2   1.000000000000e+00
    x_11_2_2  slots_2    1.000000000000e+00
    x_11_2_2  load_2     8.100000000000e+01
    x_11_2_2  home_11_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_3  place_11_2   1.000000000000e+00
    x_11_2_3  slots_3    1.000000000000e+00
    x_11_2_3  load_3     8.100000000000e+01
    x_11_2_3  home_11_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_4  place_11_2   1.000000000000e+00
    x_11_2_4  slots_4    1.000000000000e+00
    x_11_2_4  load_4     8.100000000000e+01
    x_11_2_4  home_11_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_5  place_11_2   1.000000000000e+00
    x_11_2_5  slots_5    1.000000000000e+00
    x_11_2_5  load_5     8.100000000000e+01
    x_11_2_5  home_11_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_6  place_11_2   1.000000000000e+00
    x_11_2_6  slots_6    1.000000000000e+00
    x_11_2_6  load_6     8.100000000000e+01
    x_11_2_6  home_11_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_2_7  place_11_2   1.000000000000e+00
    x_11_2_7  slots_7    1.000000000000e+00
    x_11_2_7  load_7     8.100000000000e+01
    x_11_2_7  home_11_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_0  place_11_3   1.000000000000e+00
    x_11_3_0  slots_0    1.000000000000e+00
    x_11_3_0  load_0     5.400000000000e+01
    x_11_3_0  home_11_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_1  place_11_3   1.000000000000e+00
    x_11_3_1  slots_1    1.000000000000e+00
    x_11_3_1  load_1     5.400000000000e+01
    x_11_3_1  home_11_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_2  place_11_3   1.000000000000e+00
    x_11_3_2  slots_2    1.000000000000e+00
    x_11_3_2  load_2     5.400000000000e+01
    x_11_3_2  home_11_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_3  place_11_3   1.000000000000e+00
    x_11_3_3  slots_3    1.000000000000e+00
    x_11_3_3  load_3     5.400000000000e+01
    x_11_3_3  home_11_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_4  place_11_3   1.000000000000e+00
    x_11_3_4  slots_4    1.000000000000e+00
    x_11_3_4  load_4     5.400000000000e+01
    x_11_3_4  home_11_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_5  place_11_3   1.000000000000e+00
    x_11_3_5  slots_5    1.000000000000e+00
    x_11_3_5  load_5     5.400000000000e+01
    x_11_3_5  home_11_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_6  place_11_3   1.000000000000e+00
    x_11_3_6  slots_6    1.000000000000e+00
    x_11_3_6  load_6     5.400000000000e+01
    x_11_3_6  home_11_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_11_3_7  place_11_3   1.000000000000e+00
    x_11_3_7  slots_7    1.000000000000e+00
    x_11_3_7  load_7     5.400000000000e+01
    x_11_3_7  home_11_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_0   place_1_1   1.000000000000e+00
    x_1_1_0   slots_0    1.000000000000e+00
    x_1_1_0   load_0     6.420000000000e+02
    x_1_1_0   home_1_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_1   place_1_1   1.000000000000e+00
    x_1_1_1   slots_1    1.000000000000e+00
    x_1_1_1   load_1     6.420000000000e+02
    x_1_1_1   home_1_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_2   place_1_1   1.000000000000e+00
    x_1_1_2   slots_2    1.000000000000e+00
    x_1_1_2   load_2     6.420000000000e+02
    x_1_1_2   home_1_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_3   place_1_1   1.000000000000e+00
    x_1_1_3   slots_3    1.000000000000e+00
    x_1_1_3   load_3     6.420000000000e+02
    x_1_1_3   home_1_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_4   place_1_1   1.000000000000e+00
    x_1_1_4   slots_4    1.000000000000e+00
    x_1_1_4   load_4     6.420000000000e+02
    x_1_1_4   home_1_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_5   place_1_1   1.000000000000e+00
    x_1_1_5   slots_5    1.000000000000e+00
    x_1_1_5   load_5     6.420000000000e+02
    x_1_1_5   home_1_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_6   place_1_1   1.000000000000e+00
    x_1_1_6   slots_6    1.000000000000e+00
    x_1_1_6   load_6     6.420000000000e+02
    x_1_1_6   home_1_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_1_7   place_1_1   1.000000000000e+00
    x_1_1_7   slots_7    1.000000000000e+00
    x_1_1_7   load_7     6.420000000000e+02
    x_1_1_7   home_1_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_0   place_1_2   1.000000000000e+00
    x_1_2_0   slots_0    1.000000000000e+00
    x_1_2_0   load_0     3.210000000000e+02
    x_1_2_0   home_1_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_1   place_1_2   1.000000000000e+00
    x_1_2_1   slots_1    1.000000000000e+00
    x_1_2_1   load_1     3.210000000000e+02
    x_1_2_1   home_1_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_2   place_1_2   1.000000000000e+00
    x_1_2_2   slots_2    1.000000000000e+00
    x_1_2_2   load_2     3.210000000000e+02
    x_1_2_2   home_1_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_3   place_1_2   1.000000000000e+00
    x_1_2_3   slots_3    1.000000000000e+00
    x_1_2_3   load_3     3.210000000000e+02
    x_1_2_3   home_1_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_4   place_1_2   1.000000000000e+00
    x_1_2_4   slots_4    1.000000000000e+00
    x_1_2_4   load_4     3.210000000000e+02
    x_1_2_4   home_1_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_5   place_1_2   1.000000000000e+00
    x_1_2_5   slots_5    1.000000000000e+00
    x_1_2_5   load_5     3.210000000000e+02
    x_1_2_5   home_1_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_6   place_1_2   1.000000000000e+00
    x_1_2_6   slots_6    1.000000000000e+00
    x_1_2_6   load_6     3.210000000000e+02
    x_1_2_6   home_1_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_2_7   place_1_2   1.000000000000e+00
    x_1_2_7   slots_7    1.000000000000e+00
    x_1_2_7   load_7     3.210000000000e+02
    x_1_2_7   home_1_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_0   place_1_3   1.000000000000e+00
    x_1_3_0   slots_0    1.000000000000e+00
    x_1_3_0   load_0     2.140000000000e+02
    x_1_3_0   home_1_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_1   place_1_3   1.000000000000e+00
    x_1_3_1   slots_1    1.000000000000e+00
    x_1_3_1   load_1     2.140000000000e+02
    x_1_3_1   home_1_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_2   place_1_3   1.000000000000e+00
    x_1_3_2   slots_2    1.000000000000e+00
    x_1_3_2   load_2     2.140000000000e+02
    x_1_3_2   home_1_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_3   place_1_3   1.000000000000e+00
    x_1_3_3   slots_3    1.000000000000e+00
    x_1_3_3   load_3     2.140000000000e+02
    x_1_3_3   home_1_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_4   place_1_3   1.000000000000e+00
    x_1_3_4   slots_4    1.000000000000e+00
    x_1_3_4   load_4     2.140000000000e+02
    x_1_3_4   home_1_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_5   place_1_3   1.000000000000e+00
    x_1_3_5   slots_5    1.000000000000e+00
    x_1_3_5   load_5     2.140000000000e+02
    x_1_3_5   home_1_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_6   place_1_3   1.000000000000e+00
    x_1_3_6   slots_6    1.000000000000e+00
    x_1_3_6   load_6     2.140000000000e+02
    x_1_3_6   home_1_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_1_3_7   place_1_3   1.000000000000e+00
    x_1_3_7   slots_7    1.000000000000e+00
    x_1_3_7   load_7     2.140000000000e+02
    x_1_3_7   home_1_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_0   place_2_1   1.000000000000e+00
    x_2_1_0   slots_0    1.000000000000e+00
    x_2_1_0   load_0     6.240000000000e+02
    x_2_1_0   home_2_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_1   place_2_1   1.000000000000e+00
    x_2_1_1   slots_1    1.000000000000e+00
    x_2_1_1   load_1     6.240000000000e+02
    x_2_1_1   home_2_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_2   place_2_1   1.000000000000e+00
    x_2_1_2   slots_2    1.000000000000e+00
    x_2_1_2   load_2     6.240000000000e+02
    x_2_1_2   home_2_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_3   place_2_1   1.000000000000e+00
    x_2_1_3   slots_3    1.000000000000e+00
    x_2_1_3   load_3     6.240000000000e+02
    x_2_1_3   home_2_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_4   place_2_1   1.000000000000e+00
    x_2_1_4   slots_4    1.000000000000e+00
    x_2_1_4   load_4     6.240000000000e+02
    x_2_1_4   home_2_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_5   place_2_1   1.000000000000e+00
    x_2_1_5   slots_5    1.000000000000e+00
    x_2_1_5   load_5     6.240000000000e+02
    x_2_1_5   home_2_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_6   place_2_1   1.000000000000e+00
    x_2_1_6   slots_6    1.000000000000e+00
    x_2_1_6   load_6     6.240000000000e+02
    x_2_1_6   home_2_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_1_7   place_2_1   1.000000000000e+00
    x_2_1_7   slots_7    1.000000000000e+00
    x_2_1_7   load_7     6.240000000000e+02
    x_2_1_7   home_2_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_0   place_2_2   1.000000000000e+00
    x_2_2_0   slots_0    1.000000000000e+00
    x_2_2_0   load_0     3.120000000000e+02
    x_2_2_0   home_2_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_1   place_2_2   1.000000000000e+00
    x_2_2_1   slots_1    1.000000000000e+00
    x_2_2_1   load_1     3.120000000000e+02
    x_2_2_1   home_2_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_2   place_2_2   1.000000000000e+00
    x_2_2_2   slots_2    1.000000000000e+00
    x_2_2_2   load_2     3.120000000000e+02
    x_2_2_2   home_2_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_3   place_2_2   1.000000000000e+00
    x_2_2_3   slots_3    1.000000000000e+00
    x_2_2_3   load_3     3.120000000000e+02
    x_2_2_3   home_2_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_4   place_2_2   1.000000000000e+00
    x_2_2_4   slots_4    1.000000000000e+00
    x_2_2_4   load_4     3.120000000000e+02
    x_2_2_4   home_2_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_5   place_2_2   1.000000000000e+00
    x_2_2_5   slots_5    1.000000000000e+00
    x_2_2_5   load_5     3.120000000000e+02
    x_2_2_5   home_2_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_6   place_2_2   1.000000000000e+00
    x_2_2_6   slots_6    1.000000000000e+00
    x_2_2_6   load_6     3.120000000000e+02
    x_2_2_6   home_2_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_2_7   place_2_2   1.000000000000e+00
    x_2_2_7   slots_7    1.000000000000e+00
    x_2_2_7   load_7     3.120000000000e+02
    x_2_2_7   home_2_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_0   place_2_3   1.000000000000e+00
    x_2_3_0   slots_0    1.000000000000e+00
    x_2_3_0   load_0     2.080000000000e+02
    x_2_3_0   home_2_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_1   place_2_3   1.000000000000e+00
    x_2_3_1   slots_1    1.000000000000e+00
    x_2_3_1   load_1     2.080000000000e+02
    x_2_3_1   home_2_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_2   place_2_3   1.000000000000e+00
    x_2_3_2   slots_2    1.000000000000e+00
    x_2_3_2   load_2     2.080000000000e+02
    x_2_3_2   home_2_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_3   place_2_3   1.000000000000e+00
    x_2_3_3   slots_3    1.000000000000e+00
    x_2_3_3   load_3     2.080000000000e+02
    x_2_3_3   home_2_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_4   place_2_3   1.000000000000e+00
    x_2_3_4   slots_4    1.000000000000e+00
    x_2_3_4   load_4     2.080000000000e+02
    x_2_3_4   home_2_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_5   place_2_3   1.000000000000e+00
    x_2_3_5   slots_5    1.000000000000e+00
    x_2_3_5   load_5     2.080000000000e+02
    x_2_3_5   home_2_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_6   place_2_3   1.000000000000e+00
    x_2_3_6   slots_6    1.000000000000e+00
    x_2_3_6   load_6     2.080000000000e+02
    x_2_3_6   home_2_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_2_3_7   place_2_3   1.000000000000e+00
    x_2_3_7   slots_7    1.000000000000e+00
    x_2_3_7   load_7     2.080000000000e+02
    x_2_3_7   home_2_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_0   place_3_1   1.000000000000e+00
    x_3_1_0   slots_0    1.000000000000e+00
    x_3_1_0   load_0     3.840000000000e+02
    x_3_1_0   home_3_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_1   place_3_1   1.000000000000e+00
    x_3_1_1   slots_1    1.000000000000e+00
    x_3_1_1   load_1     3.840000000000e+02
    x_3_1_1   home_3_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_2   place_3_1   1.000000000000e+00
    x_3_1_2   slots_2    1.000000000000e+00
    x_3_1_2   load_2     3.840000000000e+02
    x_3_1_2   home_3_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_3   place_3_1   1.000000000000e+00
    x_3_1_3   slots_3    1.000000000000e+00
    x_3_1_3   load_3     3.840000000000e+02
    x_3_1_3   home_3_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_4   place_3_1   1.000000000000e+00
    x_3_1_4   slots_4    1.000000000000e+00
    x_3_1_4   load_4     3.840000000000e+02
    x_3_1_4   home_3_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_5   place_3_1   1.000000000000e+00
    x_3_1_5   slots_5    1.000000000000e+00
    x_3_1_5   load_5     3.840000000000e+02
    x_3_1_5   home_3_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_6   place_3_1   1.000000000000e+00
    x_3_1_6   slots_6    1.000000000000e+00
    x_3_1_6   load_6     3.840000000000e+02
    x_3_1_6   home_3_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_1_7   place_3_1   1.000000000000e+00
    x_3_1_7   slots_7    1.000000000000e+00
    x_3_1_7   load_7     3.840000000000e+02
    x_3_1_7   home_3_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_0   place_3_2   1.000000000000e+00
    x_3_2_0   slots_0    1.000000000000e+00
    x_3_2_0   load_0     1.920000000000e+02
    x_3_2_0   home_3_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_1   place_3_2   1.000000000000e+00
    x_3_2_1   slots_1    1.000000000000e+00
    x_3_2_1   load_1     1.920000000000e+02
    x_3_2_1   home_3_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_2   place_3_2   1.000000000000e+00
    x_3_2_2   slots_2    1.000000000000e+00
    x_3_2_2   load_2     1.920000000000e+02
    x_3_2_2   home_3_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_3   place_3_2   1.000000000000e+00
    x_3_2_3   slots_3    1.000000000000e+00
    x_3_2_3   load_3     1.920000000000e+02
    x_3_2_3   home_3_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_4   place_3_2   1.000000000000e+00
    x_3_2_4   slots_4    1.000000000000e+00
    x_3_2_4   load_4     1.920000000000e+02
    x_3_2_4   home_3_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_5   place_3_2   1.000000000000e+00
    x_3_2_5   slots_5    1.000000000000e+00
    x_3_2_5   load_5     1.920000000000e+02
    x_3_2_5   home_3_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_6   place_3_2   1.000000000000e+00
    x_3_2_6   slots_6    1.000000000000e+00
    x_3_2_6   load_6     1.920000000000e+02
    x_3_2_6   home_3_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_2_7   place_3_2   1.000000000000e+00
    x_3_2_7   slots_7    1.000000000000e+00
    x_3_2_7   load_7     1.920000000000e+02
    x_3_2_7   home_3_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_0   place_3_3   1.000000000000e+00
    x_3_3_0   slots_0    1.000000000000e+00
    x_3_3_0   load_0     1.280000000000e+02
    x_3_3_0   home_3_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_1   place_3_3   1.000000000000e+00
    x_3_3_1   slots_1    1.000000000000e+00
    x_3_3_1   load_1     1.280000000000e+02
    x_3_3_1   home_3_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_2   place_3_3   1.000000000000e+00
    x_3_3_2   slots_2    1.000000000000e+00
    x_3_3_2   load_2     1.280000000000e+02
    x_3_3_2   home_3_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_3   place_3_3   1.000000000000e+00
    x_3_3_3   slots_3    1.000000000000e+00
    x_3_3_3   load_3     1.280000000000e+02
    x_3_3_3   home_3_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_4   place_3_3   1.000000000000e+00
    x_3_3_4   slots_4    1.000000000000e+00
    x_3_3_4   load_4     1.280000000000e+02
    x_3_3_4   home_3_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_5   place_3_3   1.000000000000e+00
    x_3_3_5   slots_5    1.000000000000e+00
    x_3_3_5   load_5     1.280000000000e+02
    x_3_3_5   home_3_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_6   place_3_3   1.000000000000e+00
    x_3_3_6   slots_6    1.000000000000e+00
    x_3_3_6   load_6     1.280000000000e+02
    x_3_3_6   home_3_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_3_3_7   place_3_3   1.000000000000e+00
    x_3_3_7   slots_7    1.000000000000e+00
    x_3_3_7   load_7     1.280000000000e+02
    x_3_3_7   home_3_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_0   place_4_1   1.000000000000e+00
    x_4_1_0   slots_0    1.000000000000e+00
    x_4_1_0   load_0     1.140000000000e+02
    x_4_1_0   home_4_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_1   place_4_1   1.000000000000e+00
    x_4_1_1   slots_1    1.000000000000e+00
    x_4_1_1   load_1     1.140000000000e+02
    x_4_1_1   home_4_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_2   place_4_1   1.000000000000e+00
    x_4_1_2   slots_2    1.000000000000e+00
    x_4_1_2   load_2     1.140000000000e+02
    x_4_1_2   home_4_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_3   place_4_1   1.000000000000e+00
    x_4_1_3   slots_3    1.000000000000e+00
    x_4_1_3   load_3     1.140000000000e+02
    x_4_1_3   home_4_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_4   place_4_1   1.000000000000e+00
    x_4_1_4   slots_4    1.000000000000e+00
    x_4_1_4   load_4     1.140000000000e+02
    x_4_1_4   home_4_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_5   place_4_1   1.000000000000e+00
    x_4_1_5   slots_5    1.000000000000e+00
    x_4_1_5   load_5     1.140000000000e+02
    x_4_1_5   home_4_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_6   place_4_1   1.000000000000e+00
    x_4_1_6   slots_6    1.000000000000e+00
    x_4_1_6   load_6     1.140000000000e+02
    x_4_1_6   home_4_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_1_7   place_4_1   1.000000000000e+00
    x_4_1_7   slots_7    1.000000000000e+00
    x_4_1_7   load_7     1.140000000000e+02
    x_4_1_7   home_4_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_0   place_4_2   1.000000000000e+00
    x_4_2_0   slots_0    1.000000000000e+00
    x_4_2_0   load_0     5.700000000000e+01
    x_4_2_0   home_4_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_1   place_4_2   1.000000000000e+00
    x_4_2_1   slots_1    1.000000000000e+00
    x_4_2_1   load_1     5.700000000000e+01
    x_4_2_1   home_4_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_2   place_4_2   1.000000000000e+00
    x_4_2_2   slots_2    1.000000000000e+00
    x_4_2_2   load_2     5.700000000000e+01
    x_4_2_2   home_4_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_3   place_4_2   1.000000000000e+00
    x_4_2_3   slots_3    1.000000000000e+00
    x_4_2_3   load_3     5.700000000000e+01
    x_4_2_3   home_4_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_4   place_4_2   1.000000000000e+00
    x_4_2_4   slots_4    1.000000000000e+00
    x_4_2_4   load_4     5.700000000000e+01
    x_4_2_4   home_4_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_5   place_4_2   1.000000000000e+00
    x_4_2_5   slots_5    1.000000000000e+00
    x_4_2_5   load_5     5.700000000000e+01
    x_4_2_5   home_4_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_6   place_4_2   1.000000000000e+00
    x_4_2_6   slots_6    1.000000000000e+00
    x_4_2_6   load_6     5.700000000000e+01
    x_4_2_6   home_4_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_2_7   place_4_2   1.000000000000e+00
    x_4_2_7   slots_7    1.000000000000e+00
    x_4_2_7   load_7     5.700000000000e+01
    x_4_2_7   home_4_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_0   place_4_3   1.000000000000e+00
    x_4_3_0   slots_0    1.000000000000e+00
    x_4_3_0   load_0     3.800000000000e+01
    x_4_3_0   home_4_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_1   place_4_3   1.000000000000e+00
    x_4_3_1   slots_1    1.000000000000e+00
    x_4_3_1   load_1     3.800000000000e+01
    x_4_3_1   home_4_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_2   place_4_3   1.000000000000e+00
    x_4_3_2   slots_2    1.000000000000e+00
    x_4_3_2   load_2     3.800000000000e+01
    x_4_3_2   home_4_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_3   place_4_3   1.000000000000e+00
    x_4_3_3   slots_3    1.000000000000e+00
    x_4_3_3   load_3     3.800000000000e+01
    x_4_3_3   home_4_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_4   place_4_3   1.000000000000e+00
    x_4_3_4   slots_4    1.000000000000e+00
    x_4_3_4   load_4     3.800000000000e+01
    x_4_3_4   home_4_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_5   place_4_3   1.000000000000e+00
    x_4_3_5   slots_5    1.000000000000e+00
    x_4_3_5   load_5     3.800000000000e+01
    x_4_3_5   home_4_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_6   place_4_3   1.000000000000e+00
    x_4_3_6   slots_6    1.000000000000e+00
    x_4_3_6   load_6     3.800000000000e+01
    x_4_3_6   home_4_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_4_3_7   place_4_3   1.000000000000e+00
    x_4_3_7   slots_7    1.000000000000e+00
    x_4_3_7   load_7     3.800000000000e+01
    x_4_3_7   home_4_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_0   place_5_2   1.000000000000e+00
    x_5_2_0   slots_0    1.000000000000e+00
    x_5_2_0   load_0     5.910000000000e+02
    x_5_2_0   home_5_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_1   place_5_2   1.000000000000e+00
    x_5_2_1   slots_1    1.000000000000e+00
    x_5_2_1   load_1     5.910000000000e+02
    x_5_2_1   home_5_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_2   place_5_2   1.000000000000e+00
    x_5_2_2   slots_2    1.000000000000e+00
    x_5_2_2   load_2     5.910000000000e+02
    x_5_2_2   home_5_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_3   place_5_2   1.000000000000e+00
    x_5_2_3   slots_3    1.000000000000e+00
    x_5_2_3   load_3     5.910000000000e+02
    x_5_2_3   home_5_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_4   place_5_2   1.000000000000e+00
    x_5_2_4   slots_4    1.000000000000e+00
    x_5_2_4   load_4     5.910000000000e+02
    x_5_2_4   home_5_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_5   place_5_2   1.000000000000e+00
    x_5_2_5   slots_5    1.000000000000e+00
    x_5_2_5   load_5     5.910000000000e+02
    x_5_2_5   home_5_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_6   place_5_2   1.000000000000e+00
    x_5_2_6   slots_6    1.000000000000e+00
    x_5_2_6   load_6     5.910000000000e+02
    x_5_2_6   home_5_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_2_7   place_5_2   1.000000000000e+00
    x_5_2_7   slots_7    1.000000000000e+00
    x_5_2_7   load_7     5.910000000000e+02
    x_5_2_7   home_5_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_0   place_5_3   1.000000000000e+00
    x_5_3_0   slots_0    1.000000000000e+00
    x_5_3_0   load_0     3.940000000000e+02
    x_5_3_0   home_5_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_1   place_5_3   1.000000000000e+00
    x_5_3_1   slots_1    1.000000000000e+00
    x_5_3_1   load_1     3.940000000000e+02
    x_5_3_1   home_5_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_2   place_5_3   1.000000000000e+00
    x_5_3_2   slots_2    1.000000000000e+00
    x_5_3_2   load_2     3.940000000000e+02
    x_5_3_2   home_5_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_3   place_5_3   1.000000000000e+00
    x_5_3_3   slots_3    1.000000000000e+00
    x_5_3_3   load_3     3.940000000000e+02
    x_5_3_3   home_5_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_4   place_5_3   1.000000000000e+00
    x_5_3_4   slots_4    1.000000000000e+00
    x_5_3_4   load_4     3.940000000000e+02
    x_5_3_4   home_5_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_5   place_5_3   1.000000000000e+00
    x_5_3_5   slots_5    1.000000000000e+00
    x_5_3_5   load_5     3.940000000000e+02
    x_5_3_5   home_5_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_6   place_5_3   1.000000000000e+00
    x_5_3_6   slots_6    1.000000000000e+00
    x_5_3_6   load_6     3.940000000000e+02
    x_5_3_6   home_5_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_5_3_7   place_5_3   1.000000000000e+00
    x_5_3_7   slots_7    1.000000000000e+00
    x_5_3_7   load_7     3.940000000000e+02
    x_5_3_7   home_5_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_0   place_6_2   1.000000000000e+00
    x_6_2_0   slots_0    1.000000000000e+00
    x_6_2_0   load_0     5.610000000000e+02
    x_6_2_0   home_6_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_1   place_6_2   1.000000000000e+00
    x_6_2_1   slots_1    1.000000000000e+00
    x_6_2_1   load_1     5.610000000000e+02
    x_6_2_1   home_6_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_2   place_6_2   1.000000000000e+00
    x_6_2_2   slots_2    1.000000000000e+00
    x_6_2_2   load_2     5.610000000000e+02
    x_6_2_2   home_6_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_3   place_6_2   1.000000000000e+00
    x_6_2_3   slots_3    1.000000000000e+00
    x_6_2_3   load_3     5.610000000000e+02
    x_6_2_3   home_6_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_4   place_6_2   1.000000000000e+00
    x_6_2_4   slots_4    1.000000000000e+00
    x_6_2_4   load_4     5.610000000000e+02
    x_6_2_4   home_6_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_5   place_6_2   1.000000000000e+00
    x_6_2_5   slots_5    1.000000000000e+00
    x_6_2_5   load_5     5.610000000000e+02
    x_6_2_5   home_6_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_6   place_6_2   1.000000000000e+00
    x_6_2_6   slots_6    1.000000000000e+00
    x_6_2_6   load_6     5.610000000000e+02
    x_6_2_6   home_6_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_2_7   place_6_2   1.000000000000e+00
    x_6_2_7   slots_7    1.000000000000e+00
    x_6_2_7   load_7     5.610000000000e+02
    x_6_2_7   home_6_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_0   place_6_3   1.000000000000e+00
    x_6_3_0   slots_0    1.000000000000e+00
    x_6_3_0   load_0     3.740000000000e+02
    x_6_3_0   home_6_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_1   place_6_3   1.000000000000e+00
    x_6_3_1   slots_1    1.000000000000e+00
    x_6_3_1   load_1     3.740000000000e+02
    x_6_3_1   home_6_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_2   place_6_3   1.000000000000e+00
    x_6_3_2   slots_2    1.000000000000e+00
    x_6_3_2   load_2     3.740000000000e+02
    x_6_3_2   home_6_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_3   place_6_3   1.000000000000e+00
    x_6_3_3   slots_3    1.000000000000e+00
    x_6_3_3   load_3     3.740000000000e+02
    x_6_3_3   home_6_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_4   place_6_3   1.000000000000e+00
    x_6_3_4   slots_4    1.000000000000e+00
    x_6_3_4   load_4     3.740000000000e+02
    x_6_3_4   home_6_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_5   place_6_3   1.000000000000e+00
    x_6_3_5   slots_5    1.000000000000e+00
    x_6_3_5   load_5     3.740000000000e+02
    x_6_3_5   home_6_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_6   place_6_3   1.000000000000e+00
    x_6_3_6   slots_6    1.000000000000e+00
    x_6_3_6   load_6     3.740000000000e+02
    x_6_3_6   home_6_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_6_3_7   place_6_3   1.000000000000e+00
    x_6_3_7   slots_7    1.000000000000e+00
    x_6_3_7   load_7     3.740000000000e+02
    x_6_3_7   home_6_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_0   place_7_1   1.000000000000e+00
    x_7_1_0   slots_0    1.000000000000e+00
    x_7_1_0   load_0     9.420000000000e+02
    x_7_1_0   home_7_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_1   place_7_1   1.000000000000e+00
    x_7_1_1   slots_1    1.000000000000e+00
    x_7_1_1   load_1     9.420000000000e+02
    x_7_1_1   home_7_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_2   place_7_1   1.000000000000e+00
    x_7_1_2   slots_2    1.000000000000e+00
    x_7_1_2   load_2     9.420000000000e+02
    x_7_1_2   home_7_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_3   place_7_1   1.000000000000e+00
    x_7_1_3   slots_3    1.000000000000e+00
    x_7_1_3   load_3     9.420000000000e+02
    x_7_1_3   home_7_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_4   place_7_1   1.000000000000e+00
    x_7_1_4   slots_4    1.000000000000e+00
    x_7_1_4   load_4     9.420000000000e+02
    x_7_1_4   home_7_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_5   place_7_1   1.000000000000e+00
    x_7_1_5   slots_5    1.000000000000e+00
    x_7_1_5   load_5     9.420000000000e+02
    x_7_1_5   home_7_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_6   place_7_1   1.000000000000e+00
    x_7_1_6   slots_6    1.000000000000e+00
    x_7_1_6   load_6     9.420000000000e+02
    x_7_1_6   home_7_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_1_7   place_7_1   1.000000000000e+00
    x_7_1_7   slots_7    1.000000000000e+00
    x_7_1_7   load_7     9.420000000000e+02
    x_7_1_7   home_7_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_0   place_7_2   1.000000000000e+00
    x_7_2_0   slots_0    1.000000000000e+00
    x_7_2_0   load_0     4.710000000000e+02
    x_7_2_0   home_7_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_1   place_7_2   1.000000000000e+00
    x_7_2_1   slots_1    1.000000000000e+00
    x_7_2_1   load_1     4.710000000000e+02
    x_7_2_1   home_7_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_2   place_7_2   1.000000000000e+00
    x_7_2_2   slots_2    1.000000000000e+00
    x_7_2_2   load_2     4.710000000000e+02
    x_7_2_2   home_7_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_3   place_7_2   1.000000000000e+00
    x_7_2_3   slots_3    1.000000000000e+00
    x_7_2_3   load_3     4.710000000000e+02
    x_7_2_3   home_7_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_4   place_7_2   1.000000000000e+00
    x_7_2_4   slots_4    1.000000000000e+00
    x_7_2_4   load_4     4.710000000000e+02
    x_7_2_4   home_7_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_5   place_7_2   1.000000000000e+00
    x_7_2_5   slots_5    1.000000000000e+00
    x_7_2_5   load_5     4.710000000000e+02
    x_7_2_5   home_7_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_6   place_7_2   1.000000000000e+00
    x_7_2_6   slots_6    1.000000000000e+00
    x_7_2_6   load_6     4.710000000000e+02
    x_7_2_6   home_7_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_2_7   place_7_2   1.000000000000e+00
    x_7_2_7   slots_7    1.000000000000e+00
    x_7_2_7   load_7     4.710000000000e+02
    x_7_2_7   home_7_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_0   place_7_3   1.000000000000e+00
    x_7_3_0   slots_0    1.000000000000e+00
    x_7_3_0   load_0     3.140000000000e+02
    x_7_3_0   home_7_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_1   place_7_3   1.000000000000e+00
    x_7_3_1   slots_1    1.000000000000e+00
    x_7_3_1   load_1     3.140000000000e+02
    x_7_3_1   home_7_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_2   place_7_3   1.000000000000e+00
    x_7_3_2   slots_2    1.000000000000e+00
    x_7_3_2   load_2     3.140000000000e+02
    x_7_3_2   home_7_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_3   place_7_3   1.000000000000e+00
    x_7_3_3   slots_3    1.000000000000e+00
    x_7_3_3   load_3     3.140000000000e+02
    x_7_3_3   home_7_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_4   place_7_3   1.000000000000e+00
    x_7_3_4   slots_4    1.000000000000e+00
    x_7_3_4   load_4     3.140000000000e+02
    x_7_3_4   home_7_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_5   place_7_3   1.000000000000e+00
    x_7_3_5   slots_5    1.000000000000e+00
    x_7_3_5   load_5     3.140000000000e+02
    x_7_3_5   home_7_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_6   place_7_3   1.000000000000e+00
    x_7_3_6   slots_6    1.000000000000e+00
    x_7_3_6   load_6     3.140000000000e+02
    x_7_3_6   home_7_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_7_3_7   place_7_3   1.000000000000e+00
    x_7_3_7   slots_7    1.000000000000e+00
    x_7_3_7   load_7     3.140000000000e+02
    x_7_3_7   home_7_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_0   place_8_1   1.000000000000e+00
    x_8_1_0   slots_0    1.000000000000e+00
    x_8_1_0   load_0     1.032000000000e+03
    x_8_1_0   home_8_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_1   place_8_1   1.000000000000e+00
    x_8_1_1   slots_1    1.000000000000e+00
    x_8_1_1   load_1     1.032000000000e+03
    x_8_1_1   home_8_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_2   place_8_1   1.000000000000e+00
    x_8_1_2   slots_2    1.000000000000e+00
    x_8_1_2   load_2     1.032000000000e+03
    x_8_1_2   home_8_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_3   place_8_1   1.000000000000e+00
    x_8_1_3   slots_3    1.000000000000e+00
    x_8_1_3   load_3     1.032000000000e+03
    x_8_1_3   home_8_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_4   place_8_1   1.000000000000e+00
    x_8_1_4   slots_4    1.000000000000e+00
    x_8_1_4   load_4     1.032000000000e+03
    x_8_1_4   home_8_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_5   place_8_1   1.000000000000e+00
    x_8_1_5   slots_5    1.000000000000e+00
    x_8_1_5   load_5     1.032000000000e+03
    x_8_1_5   home_8_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_6   place_8_1   1.000000000000e+00
    x_8_1_6   slots_6    1.000000000000e+00
    x_8_1_6   load_6     1.032000000000e+03
    x_8_1_6   home_8_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_1_7   place_8_1   1.000000000000e+00
    x_8_1_7   slots_7    1.000000000000e+00
    x_8_1_7   load_7     1.032000000000e+03
    x_8_1_7   home_8_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_0   place_8_2   1.000000000000e+00
    x_8_2_0   slots_0    1.000000000000e+00
    x_8_2_0   load_0     5.160000000000e+02
    x_8_2_0   home_8_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_1   place_8_2   1.000000000000e+00
    x_8_2_1   slots_1    1.000000000000e+00
    x_8_2_1   load_1     5.160000000000e+02
    x_8_2_1   home_8_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_2   place_8_2   1.000000000000e+00
    x_8_2_2   slots_2    1.000000000000e+00
    x_8_2_2   load_2     5.160000000000e+02
    x_8_2_2   home_8_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_3   place_8_2   1.000000000000e+00
    x_8_2_3   slots_3    1.000000000000e+00
    x_8_2_3   load_3     5.160000000000e+02
    x_8_2_3   home_8_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_4   place_8_2   1.000000000000e+00
    x_8_2_4   slots_4    1.000000000000e+00
    x_8_2_4   load_4     5.160000000000e+02
    x_8_2_4   home_8_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_5   place_8_2   1.000000000000e+00
    x_8_2_5   slots_5    1.000000000000e+00
    x_8_2_5   load_5     5.160000000000e+02
    x_8_2_5   home_8_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_6   place_8_2   1.000000000000e+00
    x_8_2_6   slots_6    1.000000000000e+00
    x_8_2_6   load_6     5.160000000000e+02
    x_8_2_6   home_8_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_2_7   place_8_2   1.000000000000e+00
    x_8_2_7   slots_7    1.000000000000e+00
    x_8_2_7   load_7     5.160000000000e+02
    x_8_2_7   home_8_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_0   place_8_3   1.000000000000e+00
    x_8_3_0   slots_0    1.000000000000e+00
    x_8_3_0   load_0     3.440000000000e+02
    x_8_3_0   home_8_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_1   place_8_3   1.000000000000e+00
    x_8_3_1   slots_1    1.000000000000e+00
    x_8_3_1   load_1     3.440000000000e+02
    x_8_3_1   home_8_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_2   place_8_3   1.000000000000e+00
    x_8_3_2   slots_2    1.000000000000e+00
    x_8_3_2   load_2     3.440000000000e+02
    x_8_3_2   home_8_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_3   place_8_3   1.000000000000e+00
    x_8_3_3   slots_3    1.000000000000e+00
    x_8_3_3   load_3     3.440000000000e+02
    x_8_3_3   home_8_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_4   place_8_3   1.000000000000e+00
    x_8_3_4   slots_4    1.000000000000e+00
    x_8_3_4   load_4     3.440000000000e+02
    x_8_3_4   home_8_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_5   place_8_3   1.000000000000e+00
    x_8_3_5   slots_5    1.000000000000e+00
    x_8_3_5   load_5     3.440000000000e+02
    x_8_3_5   home_8_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_6   place_8_3   1.000000000000e+00
    x_8_3_6   slots_6    1.000000000000e+00
    x_8_3_6   load_6     3.440000000000e+02
    x_8_3_6   home_8_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_8_3_7   place_8_3   1.000000000000e+00
    x_8_3_7   slots_7    1.000000000000e+00
    x_8_3_7   load_7     3.440000000000e+02
    x_8_3_7   home_8_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_0   place_9_1   1.000000000000e+00
    x_9_1_0   slots_0    1.000000000000e+00
    x_9_1_0   load_0     5.160000000000e+02
    x_9_1_0   home_9_1_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_1   place_9_1   1.000000000000e+00
    x_9_1_1   slots_1    1.000000000000e+00
    x_9_1_1   load_1     5.160000000000e+02
    x_9_1_1   home_9_1_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_2   place_9_1   1.000000000000e+00
    x_9_1_2   slots_2    1.000000000000e+00
    x_9_1_2   load_2     5.160000000000e+02
    x_9_1_2   home_9_1_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_3   place_9_1   1.000000000000e+00
    x_9_1_3   slots_3    1.000000000000e+00
    x_9_1_3   load_3     5.160000000000e+02
    x_9_1_3   home_9_1_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_4   place_9_1   1.000000000000e+00
    x_9_1_4   slots_4    1.000000000000e+00
    x_9_1_4   load_4     5.160000000000e+02
    x_9_1_4   home_9_1_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_5   place_9_1   1.000000000000e+00
    x_9_1_5   slots_5    1.000000000000e+00
    x_9_1_5   load_5     5.160000000000e+02
    x_9_1_5   home_9_1_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_6   place_9_1   1.000000000000e+00
    x_9_1_6   slots_6    1.000000000000e+00
    x_9_1_6   load_6     5.160000000000e+02
    x_9_1_6   home_9_1_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_1_7   place_9_1   1.000000000000e+00
    x_9_1_7   slots_7    1.000000000000e+00
    x_9_1_7   load_7     5.160000000000e+02
    x_9_1_7   home_9_1_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_0   place_9_2   1.000000000000e+00
    x_9_2_0   slots_0    1.000000000000e+00
    x_9_2_0   load_0     2.580000000000e+02
    x_9_2_0   home_9_2_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_1   place_9_2   1.000000000000e+00
    x_9_2_1   slots_1    1.000000000000e+00
    x_9_2_1   load_1     2.580000000000e+02
    x_9_2_1   home_9_2_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_2   place_9_2   1.000000000000e+00
    x_9_2_2   slots_2    1.000000000000e+00
    x_9_2_2   load_2     2.580000000000e+02
    x_9_2_2   home_9_2_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_3   place_9_2   1.000000000000e+00
    x_9_2_3   slots_3    1.000000000000e+00
    x_9_2_3   load_3     2.580000000000e+02
    x_9_2_3   home_9_2_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_4   place_9_2   1.000000000000e+00
    x_9_2_4   slots_4    1.000000000000e+00
    x_9_2_4   load_4     2.580000000000e+02
    x_9_2_4   home_9_2_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_5   place_9_2   1.000000000000e+00
    x_9_2_5   slots_5    1.000000000000e+00
    x_9_2_5   load_5     2.580000000000e+02
    x_9_2_5   home_9_2_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_6   place_9_2   1.000000000000e+00
    x_9_2_6   slots_6    1.000000000000e+00
    x_9_2_6   load_6     2.580000000000e+02
    x_9_2_6   home_9_2_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_2_7   place_9_2   1.000000000000e+00
    x_9_2_7   slots_7    1.000000000000e+00
    x_9_2_7   load_7     2.580000000000e+02
    x_9_2_7   home_9_2_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_0   place_9_3   1.000000000000e+00
    x_9_3_0   slots_0    1.000000000000e+00
    x_9_3_0   load_0     1.720000000000e+02
    x_9_3_0   home_9_3_0   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_1   place_9_3   1.000000000000e+00
    x_9_3_1   slots_1    1.000000000000e+00
    x_9_3_1   load_1     1.720000000000e+02
    x_9_3_1   home_9_3_1   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_2   place_9_3   1.000000000000e+00
    x_9_3_2   slots_2    1.000000000000e+00
    x_9_3_2   load_2     1.720000000000e+02
    x_9_3_2   home_9_3_2   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_3   place_9_3   1.000000000000e+00
    x_9_3_3   slots_3    1.000000000000e+00
    x_9_3_3   load_3     1.720000000000e+02
    x_9_3_3   home_9_3_3   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_4   place_9_3   1.000000000000e+00
    x_9_3_4   slots_4    1.000000000000e+00
    x_9_3_4   load_4     1.720000000000e+02
    x_9_3_4   home_9_3_4   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_5   place_9_3   1.000000000000e+00
    x_9_3_5   slots_5    1.000000000000e+00
    x_9_3_5   load_5     1.720000000000e+02
    x_9_3_5   home_9_3_5   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_6   place_9_3   1.000000000000e+00
    x_9_3_6   slots_6    1.000000000000e+00
    x_9_3_6   load_6     1.720000000000e+02
    x_9_3_6   home_9_3_6   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    x_9_3_7   place_9_3   1.000000000000e+00
    x_9_3_7   slots_7    1.000000000000e+00
    x_9_3_7   load_7     1.720000000000e+02
    x_9_3_7   home_9_3_7   1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_0_1     one_count_0   1.000000000000e+00
    y_0_1     place_0_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_0_2     one_count_0   1.000000000000e+00
    y_0_2     place_0_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_0_3     one_count_0   1.000000000000e+00
    y_0_3     place_0_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_10_1    one_count_10   1.000000000000e+00
    y_10_1    place_10_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_10_2    one_count_10   1.000000000000e+00
    y_10_2    place_10_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_10_3    one_count_10   1.000000000000e+00
    y_10_3    place_10_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_11_1    one_count_11   1.000000000000e+00
    y_11_1    place_11_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_11_2    one_count_11   1.000000000000e+00
    y_11_2    place_11_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_11_3    one_count_11   1.000000000000e+00
    y_11_3    place_11_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_1_1     one_count_1   1.000000000000e+00
    y_1_1     place_1_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_1_2     one_count_1   1.000000000000e+00
    y_1_2     place_1_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_1_3     one_count_1   1.000000000000e+00
    y_1_3     place_1_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_2_1     one_count_2   1.000000000000e+00
    y_2_1     place_2_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_2_2     one_count_2   1.000000000000e+00
    y_2_2     place_2_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_2_3     one_count_2   1.000000000000e+00
    y_2_3     place_2_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_3_1     one_count_3   1.000000000000e+00
    y_3_1     place_3_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_3_2     one_count_3   1.000000000000e+00
    y_3_2     place_3_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_3_3     one_count_3   1.000000000000e+00
    y_3_3     place_3_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_4_1     one_count_4   1.000000000000e+00
    y_4_1     place_4_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_4_2     one_count_4   1.000000000000e+00
    y_4_2     place_4_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_4_3     one_count_4   1.000000000000e+00
    y_4_3     place_4_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_5_2     one_count_5   1.000000000000e+00
    y_5_2     place_5_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_5_3     one_count_5   1.000000000000e+00
    y_5_3     place_5_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_6_2     one_count_6   1.000000000000e+00
    y_6_2     place_6_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_6_3     one_count_6   1.000000000000e+00
    y_6_3     place_6_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_7_1     one_count_7   1.000000000000e+00
    y_7_1     place_7_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_7_2     one_count_7   1.000000000000e+00
    y_7_2     place_7_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_7_3     one_count_7   1.000000000000e+00
    y_7_3     place_7_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_8_1     one_count_8   1.000000000000e+00
    y_8_1     place_8_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_8_2     one_count_8   1.000000000000e+00
    y_8_2     place_8_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_8_3     one_count_8   1.000000000000e+00
    y_8_3     place_8_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_9_1     one_count_9   1.000000000000e+00
    y_9_1     place_9_1  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_9_2     one_count_9   1.000000000000e+00
    y_9_2     place_9_2  -2.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    y_9_3     one_count_9   1.000000000000e+00
    y_9_3     place_9_3  -3.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_0_0     one_node_0   1.000000000000e+00
    z_0_0     share_0    1.000000000000e+00
    z_0_0     home_0_1_0  -1.000000000000e+00
    z_0_0     home_0_1_1  -1.000000000000e+00
    z_0_0     home_0_1_2  -1.000000000000e+00
    z_0_0     home_0_1_3  -1.000000000000e+00
    z_0_0     home_0_2_0  -1.000000000000e+00
    z_0_0     home_0_2_1  -1.000000000000e+00
    z_0_0     home_0_2_2  -1.000000000000e+00
    z_0_0     home_0_2_3  -1.000000000000e+00
    z_0_0     home_0_3_0  -1.000000000000e+00
    z_0_0     home_0_3_1  -1.000000000000e+00
    z_0_0     home_0_3_2  -1.000000000000e+00
    z_0_0     home_0_3_3  -1.000000000000e+00
    z_0_0     home_1_1_0  -1.000000000000e+00
    z_0_0     home_1_1_1  -1.000000000000e+00
    z_0_0     home_1_1_2  -1.000000000000e+00
    z_0_0     home_1_1_3  -1.000000000000e+00
    z_0_0     home_1_2_0  -1.000000000000e+00
    z_0_0     home_1_2_1  -1.000000000000e+00
    z_0_0     home_1_2_2  -1.000000000000e+00
    z_0_0     home_1_2_3  -1.000000000000e+00
    z_0_0     home_1_3_0  -1.000000000000e+00
    z_0_0     home_1_3_1  -1.000000000000e+00
    z_0_0     home_1_3_2  -1.000000000000e+00
    z_0_0     home_1_3_3  -1.000000000000e+00
    z_0_0     home_2_1_0  -1.000000000000e+00
    z_0_0     home_2_1_1  -1.000000000000e+00
    z_0_0     home_2_1_2  -1.000000000000e+00
    z_0_0     home_2_1_3  -1.000000000000e+00
    z_0_0     home_2_2_0  -1.000000000000e+00
    z_0_0     home_2_2_1  -1.000000000000e+00
    z_0_0     home_2_2_2  -1.000000000000e+00
    z_0_0     home_2_2_3  -1.000000000000e+00
    z_0_0     home_2_3_0  -1.000000000000e+00
    z_0_0     home_2_3_1  -1.000000000000e+00
    z_0_0     home_2_3_2  -1.000000000000e+00
    z_0_0     home_2_3_3  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_0_1     one_node_0   1.000000000000e+00
    z_0_1     share_1    1.000000000000e+00
    z_0_1     home_0_1_4  -1.000000000000e+00
    z_0_1     home_0_1_5  -1.000000000000e+00
    z_0_1     home_0_1_6  -1.000000000000e+00
    z_0_1     home_0_1_7  -1.000000000000e+00
    z_0_1     home_0_2_4  -1.000000000000e+00
    z_0_1     home_0_2_5  -1.000000000000e+00
    z_0_1     home_0_2_6  -1.000000000000e+00
    z_0_1     home_0_2_7  -1.000000000000e+00
    z_0_1     home_0_3_4  -1.000000000000e+00
    z_0_1     home_0_3_5  -1.000000000000e+00
    z_0_1     home_0_3_6  -1.000000000000e+00
    z_0_1     home_0_3_7  -1.000000000000e+00
    z_0_1     home_1_1_4  -1.000000000000e+00
    z_0_1     home_1_1_5  -1.000000000000e+00
    z_0_1     home_1_1_6  -1.000000000000e+00
    z_0_1     home_1_1_7  -1.000000000000e+00
    z_0_1     home_1_2_4  -1.000000000000e+00
    z_0_1     home_1_2_5  -1.000000000000e+00
    z_0_1     home_1_2_6  -1.000000000000e+00
    z_0_1     home_1_2_7  -1.000000000000e+00
    z_0_1     home_1_3_4  -1.000000000000e+00
    z_0_1     home_1_3_5  -1.000000000000e+00
    z_0_1     home_1_3_6  -1.000000000000e+00
    z_0_1     home_1_3_7  -1.000000000000e+00
    z_0_1     home_2_1_4  -1.000000000000e+00
    z_0_1     home_2_1_5  -1.000000000000e+00
    z_0_1     home_2_1_6  -1.000000000000e+00
    z_0_1     home_2_1_7  -1.000000000000e+00
    z_0_1     home_2_2_4  -1.000000000000e+00
    z_0_1     home_2_2_5  -1.000000000000e+00
    z_0_1     home_2_2_6  -1.000000000000e+00
    z_0_1     home_2_2_7  -1.000000000000e+00
    z_0_1     home_2_3_4  -1.000000000000e+00
    z_0_1     home_2_3_5  -1.000000000000e+00
    z_0_1     home_2_3_6  -1.000000000000e+00
    z_0_1     home_2_3_7  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_1_0     one_node_1   1.000000000000e+00
    z_1_0     share_0    1.000000000000e+00
    z_1_0     home_3_1_0  -1.000000000000e+00
    z_1_0     home_3_1_1  -1.000000000000e+00
    z_1_0     home_3_1_2  -1.000000000000e+00
    z_1_0     home_3_1_3  -1.000000000000e+00
    z_1_0     home_3_2_0  -1.000000000000e+00
    z_1_0     home_3_2_1  -1.000000000000e+00
    z_1_0     home_3_2_2  -1.000000000000e+00
    z_1_0     home_3_2_3  -1.000000000000e+00
    z_1_0     home_3_3_0  -1.000000000000e+00
    z_1_0     home_3_3_1  -1.000000000000e+00
    z_1_0     home_3_3_2  -1.000000000000e+00
    z_1_0     home_3_3_3  -1.000000000000e+00
    z_1_0     home_4_1_0  -1.000000000000e+00
    z_1_0     home_4_1_1  -1.000000000000e+00
    z_1_0     home_4_1_2  -1.000000000000e+00
    z_1_0     home_4_1_3  -1.000000000000e+00
    z_1_0     home_4_2_0  -1.000000000000e+00
    z_1_0     home_4_2_1  -1.000000000000e+00
    z_1_0     home_4_2_2  -1.000000000000e+00
    z_1_0     home_4_2_3  -1.000000000000e+00
    z_1_0     home_4_3_0  -1.000000000000e+00
    z_1_0     home_4_3_1  -1.000000000000e+00
    z_1_0     home_4_3_2  -1.000000000000e+00
    z_1_0     home_4_3_3  -1.000000000000e+00
    z_1_0     home_5_2_0  -1.000000000000e+00
    z_1_0     home_5_2_1  -1.000000000000e+00
    z_1_0     home_5_2_2  -1.000000000000e+00
    z_1_0     home_5_2_3  -1.000000000000e+00
    z_1_0     home_5_3_0  -1.000000000000e+00
    z_1_0     home_5_3_1  -1.000000000000e+00
    z_1_0     home_5_3_2  -1.000000000000e+00
    z_1_0     home_5_3_3  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_1_1     one_node_1   1.000000000000e+00
    z_1_1     share_1    1.000000000000e+00
    z_1_1     home_3_1_4  -1.000000000000e+00
    z_1_1     home_3_1_5  -1.000000000000e+00
    z_1_1     home_3_1_6  -1.000000000000e+00
    z_1_1     home_3_1_7  -1.000000000000e+00
    z_1_1     home_3_2_4  -1.000000000000e+00
    z_1_1     home_3_2_5  -1.000000000000e+00
    z_1_1     home_3_2_6  -1.000000000000e+00
    z_1_1     home_3_2_7  -1.000000000000e+00
    z_1_1     home_3_3_4  -1.000000000000e+00
    z_1_1     home_3_3_5  -1.000000000000e+00
    z_1_1     home_3_3_6  -1.000000000000e+00
    z_1_1     home_3_3_7  -1.000000000000e+00
    z_1_1     home_4_1_4  -1.000000000000e+00
    z_1_1     home_4_1_5  -1.000000000000e+00
    z_1_1     home_4_1_6  -1.000000000000e+00
    z_1_1     home_4_1_7  -1.000000000000e+00
    z_1_1     home_4_2_4  -1.000000000000e+00
    z_1_1     home_4_2_5  -1.000000000000e+00
    z_1_1     home_4_2_6  -1.000000000000e+00
    z_1_1     home_4_2_7  -1.000000000000e+00
    z_1_1     home_4_3_4  -1.000000000000e+00
    z_1_1     home_4_3_5  -1.000000000000e+00
    z_1_1     home_4_3_6  -1.000000000000e+00
    z_1_1     home_4_3_7  -1.000000000000e+00
    z_1_1     home_5_2_4  -1.000000000000e+00
    z_1_1     home_5_2_5  -1.000000000000e+00
    z_1_1     home_5_2_6  -1.000000000000e+00
    z_1_1     home_5_2_7  -1.000000000000e+00
    z_1_1     home_5_3_4  -1.000000000000e+00
    z_1_1     home_5_3_5  -1.000000000000e+00
    z_1_1     home_5_3_6  -1.000000000000e+00
    z_1_1     home_5_3_7  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_2_0     one_node_2   1.000000000000e+00
    z_2_0     share_0    1.000000000000e+00
    z_2_0     home_6_2_0  -1.000000000000e+00
    z_2_0     home_6_2_1  -1.000000000000e+00
    z_2_0     home_6_2_2  -1.000000000000e+00
    z_2_0     home_6_2_3  -1.000000000000e+00
    z_2_0     home_6_3_0  -1.000000000000e+00
    z_2_0     home_6_3_1  -1.000000000000e+00
    z_2_0     home_6_3_2  -1.000000000000e+00
    z_2_0     home_6_3_3  -1.000000000000e+00
    z_2_0     home_7_1_0  -1.000000000000e+00
    z_2_0     home_7_1_1  -1.000000000000e+00
    z_2_0     home_7_1_2  -1.000000000000e+00
    z_2_0     home_7_1_3  -1.000000000000e+00
    z_2_0     home_7_2_0  -1.000000000000e+00
    z_2_0     home_7_2_1  -1.000000000000e+00
    z_2_0     home_7_2_2  -1.000000000000e+00
    z_2_0     home_7_2_3  -1.000000000000e+00
    z_2_0     home_7_3_0  -1.000000000000e+00
    z_2_0     home_7_3_1  -1.000000000000e+00
    z_2_0     home_7_3_2  -1.000000000000e+00
    z_2_0     home_7_3_3  -1.000000000000e+00
    z_2_0     home_8_1_0  -1.000000000000e+00
    z_2_0     home_8_1_1  -1.000000000000e+00
    z_2_0     home_8_1_2  -1.000000000000e+00
    z_2_0     home_8_1_3  -1.000000000000e+00
    z_2_0     home_8_2_0  -1.000000000000e+00
    z_2_0     home_8_2_1  -1.000000000000e+00
    z_2_0     home_8_2_2  -1.000000000000e+00
    z_2_0     home_8_2_3  -1.000000000000e+00
    z_2_0     home_8_3_0  -1.000000000000e+00
    z_2_0     home_8_3_1  -1.000000000000e+00
    z_2_0     home_8_3_2  -1.000000000000e+00
    z_2_0     home_8_3_3  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_2_1     one_node_2   1.000000000000e+00
    z_2_1     share_1    1.000000000000e+00
    z_2_1     home_6_2_4  -1.000000000000e+00
    z_2_1     home_6_2_5  -1.000000000000e+00
    z_2_1     home_6_2_6  -1.000000000000e+00
    z_2_1     home_6_2_7  -1.000000000000e+00
    z_2_1     home_6_3_4  -1.000000000000e+00
    z_2_1     home_6_3_5  -1.000000000000e+00
    z_2_1     home_6_3_6  -1.000000000000e+00
    z_2_1     home_6_3_7  -1.000000000000e+00
    z_2_1     home_7_1_4  -1.000000000000e+00
    z_2_1     home_7_1_5  -1.000000000000e+00
    z_2_1     home_7_1_6  -1.000000000000e+00
    z_2_1     home_7_1_7  -1.000000000000e+00
    z_2_1     home_7_2_4  -1.000000000000e+00
    z_2_1     home_7_2_5  -1.000000000000e+00
    z_2_1     home_7_2_6  -1.000000000000e+00
    z_2_1     home_7_2_7  -1.000000000000e+00
    z_2_1     home_7_3_4  -1.000000000000e+00
    z_2_1     home_7_3_5  -1.000000000000e+00
    z_2_1     home_7_3_6  -1.000000000000e+00
    z_2_1     home_7_3_7  -1.000000000000e+00
    z_2_1     home_8_1_4  -1.000000000000e+00
    z_2_1     home_8_1_5  -1.000000000000e+00
    z_2_1     home_8_1_6  -1.000000000000e+00
    z_2_1     home_8_1_7  -1.000000000000e+00
    z_2_1     home_8_2_4  -1.000000000000e+00
    z_2_1     home_8_2_5  -1.000000000000e+00
    z_2_1     home_8_2_6  -1.000000000000e+00
    z_2_1     home_8_2_7  -1.000000000000e+00
    z_2_1     home_8_3_4  -1.000000000000e+00
    z_2_1     home_8_3_5  -1.000000000000e+00
    z_2_1     home_8_3_6  -1.000000000000e+00
    z_2_1     home_8_3_7  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_3_0     one_node_3   1.000000000000e+00
    z_3_0     share_0    1.000000000000e+00
    z_3_0     home_9_1_0  -1.000000000000e+00
    z_3_0     home_9_1_1  -1.000000000000e+00
    z_3_0     home_9_1_2  -1.000000000000e+00
    z_3_0     home_9_1_3  -1.000000000000e+00
    z_3_0     home_9_2_0  -1.000000000000e+00
    z_3_0     home_9_2_1  -1.000000000000e+00
    z_3_0     home_9_2_2  -1.000000000000e+00
    z_3_0     home_9_2_3  -1.000000000000e+00
    z_3_0     home_9_3_0  -1.000000000000e+00
    z_3_0     home_9_3_1  -1.000000000000e+00
    z_3_0     home_9_3_2  -1.000000000000e+00
    z_3_0     home_9_3_3  -1.000000000000e+00
    z_3_0     home_10_1_0  -1.000000000000e+00
    z_3_0     home_10_1_1  -1.000000000000e+00
    z_3_0     home_10_1_2  -1.000000000000e+00
    z_3_0     home_10_1_3  -1.000000000000e+00
    z_3_0     home_10_2_0  -1.000000000000e+00
    z_3_0     home_10_2_1  -1.000000000000e+00
    z_3_0     home_10_2_2  -1.000000000000e+00
    z_3_0     home_10_2_3  -1.000000000000e+00
    z_3_0     home_10_3_0  -1.000000000000e+00
    z_3_0     home_10_3_1  -1.000000000000e+00
    z_3_0     home_10_3_2  -1.000000000000e+00
    z_3_0     home_10_3_3  -1.000000000000e+00
    z_3_0     home_11_1_0  -1.000000000000e+00
    z_3_0     home_11_1_1  -1.000000000000e+00
    z_3_0     home_11_1_2  -1.000000000000e+00
    z_3_0     home_11_1_3  -1.000000000000e+00
    z_3_0     home_11_2_0  -1.000000000000e+00
    z_3_0     home_11_2_1  -1.000000000000e+00
    z_3_0     home_11_2_2  -1.000000000000e+00
    z_3_0     home_11_2_3  -1.000000000000e+00
    z_3_0     home_11_3_0  -1.000000000000e+00
    z_3_0     home_11_3_1  -1.000000000000e+00
    z_3_0     home_11_3_2  -1.000000000000e+00
    z_3_0     home_11_3_3  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
    MARK      'MARKER'                 'INTORG'
    z_3_1     one_node_3   1.000000000000e+00
    z_3_1     share_1    1.000000000000e+00
    z_3_1     home_9_1_4  -1.000000000000e+00
    z_3_1     home_9_1_5  -1.000000000000e+00
    z_3_1     home_9_1_6  -1.000000000000e+00
    z_3_1     home_9_1_7  -1.000000000000e+00
    z_3_1     home_9_2_4  -1.000000000000e+00
    z_3_1     home_9_2_5  -1.000000000000e+00
    z_3_1     home_9_2_6  -1.000000000000e+00
    z_3_1     home_9_2_7  -1.000000000000e+00
    z_3_1     home_9_3_4  -1.000000000000e+00
    z_3_1     home_9_3_5  -1.000000000000e+00
    z_3_1     home_9_3_6  -1.000000000000e+00
    z_3_1     home_9_3_7  -1.000000000000e+00
    z_3_1     home_10_1_4  -1.000000000000e+00
    z_3_1     home_10_1_5  -1.000000000000e+00
    z_3_1     home_10_1_6  -1.000000000000e+00
    z_3_1     home_10_1_7  -1.000000000000e+00
    z_3_1     home_10_2_4  -1.000000000000e+00
    z_3_1     home_10_2_5  -1.000000000000e+00
    z_3_1     home_10_2_6  -1.000000000000e+00
    z_3_1     home_10_2_7  -1.000000000000e+00
    z_3_1     home_10_3_4  -1.000000000000e+00
    z_3_1     home_10_3_5  -1.000000000000e+00
    z_3_1     home_10_3_6  -1.000000000000e+00
    z_3_1     home_10_3_7  -1.000000000000e+00
    z_3_1     home_11_1_4  -1.000000000000e+00
    z_3_1     home_11_1_5  -1.000000000000e+00
    z_3_1     home_11_1_6  -1.000000000000e+00
    z_3_1     home_11_1_7  -1.000000000000e+00
    z_3_1     home_11_2_4  -1.000000000000e+00
    z_3_1     home_11_2_5  -1.000000000000e+00
    z_3_1     home_11_2_6  -1.000000000000e+00
    z_3_1     home_11_2_7  -1.000000000000e+00
    z_3_1     home_11_3_4  -1.000000000000e+00
    z_3_1     home_11_3_5  -1.000000000000e+00
    z_3_1     home_11_3_6  -1.000000000000e+00
    z_3_1     home_11_3_7  -1.000000000000e+00
    MARK      'MARKER'                 'INTEND'
RHS
    RHS       one_count_0   1.000000000000e+00
    RHS       one_count_1   1.000000000000e+00
    RHS       one_count_2   1.000000000000e+00
    RHS       one_count_3   1.000000000000e+00
    RHS       one_count_4   1.000000000000e+00
    RHS       one_count_5   1.000000000000e+00
    RHS       one_count_6   1.000000000000e+00
    RHS       one_count_7   1.000000000000e+00
    RHS       one_count_8   1.000000000000e+00
    RHS       one_count_9   1.000000000000e+00
    RHS       one_count_10   1.000000000000e+00
    RHS       one_count_11   1.000000000000e+00
    RHS       place_0_1   0.000000000000e+00
    RHS       place_0_2   0.000000000000e+00
    RHS       place_0_3   0.000000000000e+00
    RHS       place_1_1   0.000000000000e+00
    RHS       place_1_2   0.000000000000e+00
    RHS       place_1_3   0.000000000000e+00
    RHS       place_2_1   0.000000000000e+00
    RHS       place_2_2   0.000000000000e+00
    RHS       place_2_3   0.000000000000e+00
    RHS       place_3_1   0.000000000000e+00
    RHS       place_3_2   0.000000000000e+00
    RHS       place_3_3   0.000000000000e+00
    RHS       place_4_1   0.000000000000e+00
    RHS       place_4_2   0.000000000000e+00
    RHS       place_4_3   0.000000000000e+00
    RHS       place_5_2   0.000000000000e+00
    RHS       place_5_3   0.000000000000e+00
    RHS       place_6_2   0.000000000000e+00
    RHS       place_6_3   0.000000000000e+00
    RHS       place_7_1   0.000000000000e+00
    RHS       place_7_2   0.000000000000e+00
    RHS       place_7_3   0.000000000000e+00
    RHS       place_8_1   0.000000000000e+00
    RHS       place_8_2   0.000000000000e+00
    RHS       place_8_3   0.000000000000e+00
    RHS       place_9_1   0.000000000000e+00
    RHS       place_9_2   0.000000000000e+00
    RHS       place_9_3   0.000000000000e+00
    RHS       place_10_1   0.000000000000e+00
    RHS       place_10_2   0.000000000000e+00
    RHS       place_10_3   0.000000000000e+00
    RHS       place_11_1   0.000000000000e+00
    RHS       place_11_2   0.000000000000e+00
    RHS       place_11_3   0.000000000000e+00
    RHS       slots_0    2.000000000000e+00
    RHS       slots_1    2.000000000000e+00
    RHS       slots_2    2.000000000000e+00
    RHS       slots_3    2.000000000000e+00
    RHS       slots_4    2.000000000000e+00
    RHS       slots_5    2.000000000000e+00
    RHS       slots_6    2.000000000000e+00
    RHS       slots_7    2.000000000000e+00
    RHS       load_0     0.000000000000e+00
    RHS       load_1     0.000000000000e+00
    RHS       load_2     0.000000000000e+00
    RHS       load_3     0.000000000000e+00
    RHS       load_4     0.000000000000e+00
    RHS       load_5     0.000000000000e+00
    RHS       load_6     0.000000000000e+00
    RHS       load_7     0.000000000000e+00
    RHS       one_node_0   1.000000000000e+00
    RHS       one_node_1   1.000000000000e+00
    RHS       one_node_2   1.000000000000e+00
    RHS       one_node_3   1.000000000000e+00
    RHS       share_0    2.000000000000e+00
    RHS       share_1    2.000000000000e+00
    RHS       home_0_1_0   0.000000000000e+00
    RHS       home_0_1_1   0.000000000000e+00
    RHS       home_0_1_2   0.000000000000e+00
    RHS       home_0_1_3   0.000000000000e+00
    RHS       home_0_1_4   0.000000000000e+00
    RHS       home_0_1_5   0.000000000000e+00
    RHS       home_0_1_6   0.000000000000e+00
    RHS       home_0_1_7   0.000000000000e+00
    RHS       home_0_2_0   0.000000000000e+00
    RHS       home_0_2_1   0.000000000000e+00
    RHS       home_0_2_2   0.000000000000e+00
    RHS       home_0_2_3   0.000000000000e+00
    RHS       home_0_2_4   0.000000000000e+00
    RHS       home_0_2_5   0.000000000000e+00
    RHS       home_0_2_6   0.000000000000e+00
    RHS       home_0_2_7   0.000000000000e+00
    RHS       home_0_3_0   0.000000000000e+00
    RHS       home_0_3_1   0.000000000000e+00
    RHS       home_0_3_2   0.000000000000e+00
    RHS       home_0_3_3   0.000000000000e+00
    RHS       home_0_3_4   0.000000000000e+00
    RHS       home_0_3_5   0.000000000000e+00
    RHS       home_0_3_6   0.000000000000e+00
    RHS       home_0_3_7   0.000000000000e+00
    RHS       home_1_1_0   0.000000000000e+00
    RHS       home_1_1_1   0.000000000000e+00
    RHS       home_1_1_2   0.000000000000e+00
    RHS       home_1_1_3   0.000000000000e+00
    RHS       home_1_1_4   0.000000000000e+00
    RHS       home_1_1_5   0.000000000000e+00
    RHS       home_1_1_6   0.000000000000e+00
    RHS       home_1_1_7   0.000000000000e+00
    RHS       home_1_2_0   0.000000000000e+00
    RHS       home_1_2_1   0.000000000000e+00
    RHS       home_1_2_2   0.000000000000e+00
    RHS       home_1_2_3   0.000000000000e+00
    RHS       home_1_2_4   0.000000000000e+00
    RHS       home_1_2_5   0.000000000000e+00
    RHS       home_1_2_6   0.000000000000e+00
    RHS       home_1_2_7   0.000000000000e+00
    RHS       home_1_3_0   0.000000000000e+00
    RHS       home_1_3_1   0.000000000000e+00
    RHS       home_1_3_2   0.000000000000e+00
    RHS       home_1_3_3   0.000000000000e+00
    RHS       home_1_3_4   0.000000000000e+00
    RHS       home_1_3_5   0.000000000000e+00
    RHS       home_1_3_6   0.000000000000e+00
    RHS       home_1_3_7   0.000000000000e+00
    RHS       home_2_1_0   0.000000000000e+00
    RHS       home_2_1_1   0.000000000000e+00
    RHS       home_2_1_2   0.000000000000e+00
    RHS       home_2_1_3   0.000000000000e+00
    RHS       home_2_1_4   0.000000000000e+00
    RHS       home_2_1_5   0.000000000000e+00
    RHS       home_2_1_6   0.000000000000e+00
    RHS       home_2_1_7   0.000000000000e+00
    RHS       home_2_2_0   0.000000000000e+00
    RHS       home_2_2_1   0.000000000000e+00
    RHS       home_2_2_2   0.000000000000e+00
    RHS       home_2_2_3   0.000000000000e+00
    RHS       home_2_2_4   0.000000000000e+00
    RHS       home_2_2_5   0.000000000000e+00
    RHS       home_2_2_6   0.000000000000e+00
    RHS       home_2_2_7   0.000000000000e+00
    RHS       home_2_3_0   0.000000000000e+00
    RHS       home_2_3_1   0.000000000000e+00
    RHS       home_2_3_2   0.000000000000e+00
    RHS       home_2_3_3   0.000000000000e+00
    RHS       home_2_3_4   0.000000000000e+00
    RHS       home_2_3_5   0.000000000000e+00
    RHS       home_2_3_6   0.000000000000e+00
    RHS       home_2_3_7   0.000000000000e+00
    RHS       home_3_1_0   0.000000000000e+00
    RHS       home_3_1_1   0.000000000000e+00
    RHS       home_3_1_2   0.000000000000e+00
    RHS       home_3_1_3   0.000000000000e+00
    RHS       home_3_1_4   0.000000000000e+00
    RHS       home_3_1_5   0.000000000000e+00
    RHS       home_3_1_6   0.000000000000e+00
    RHS       home_3_1_7   0.000000000000e+00
    RHS       home_3_2_0   0.000000000000e+00
    RHS       home_3_2_1   0.000000000000e+00
    RHS       home_3_2_2   0.000000000000e+00
    RHS       home_3_2_3   0.000000000000e+00
    RHS       home_3_2_4   0.000000000000e+00
    RHS       home_3_2_5   0.000000000000e+00
    RHS       home_3_2_6   0.000000000000e+00
    RHS       home_3_2_7   0.000000000000e+00
    RHS       home_3_3_0   0.000000000000e+00
    RHS       home_3_3_1   0.000000000000e+00
    RHS       home_3_3_2   0.000000000000e+00
    RHS       home_3_3_3   0.000000000000e+00
    RHS       home_3_3_4   0.000000000000e+00
    RHS       home_3_3_5   0.000000000000e+00
    RHS       home_3_3_6   0.000000000000e+00
    RHS       home_3_3_7   0.000000000000e+00
    RHS       home_4_1_0   0.000000000000e+00
    RHS       home_4_1_1   0.000000000000e+00
    RHS       home_4_1_2   0.000000000000e+00
    RHS       home_4_1_3   0.000000000000e+00
    RHS       home_4_1_4   0.000000000000e+00
    RHS       home_4_1_5   0.000000000000e+00
    RHS       home_4_1_6   0.000000000000e+00
    RHS       home_4_1_7   0.000000000000e+00
    RHS       home_4_2_0   0.000000000000e+00
    RHS       home_4_2_1   0.000000000000e+00
    RHS       home_4_2_2   0.000000000000e+00
    RHS       home_4_2_3   0.000000000000e+00
    RHS       home_4_2_4   0.000000000000e+00
    RHS       home_4_2_5   0.000000000000e+00
    RHS       home_4_2_6   0.000000000000e+00
    RHS       home_4_2_7   0.000000000000e+00
    RHS       home_4_3_0   0.000000000000e+00
    RHS       home_4_3_1   0.000000000000e+00
    RHS       home_4_3_2   0.000000000000e+00
    RHS       home_4_3_3   0.000000000000e+00
    RHS       home_4_3_4   0.000000000000e+00
    RHS       home_4_3_5   0.000000000000e+00
    RHS       home_4_3_6   0.000000000000e+00
    RHS       home_4_3_7   0.000000000000e+00
    RHS       home_5_2_0   0.000000000000e+00
    RHS       home_5_2_1   0.000000000000e+00
    RHS       home_5_2_2   0.000000000000e+00
    RHS       home_5_2_3   0.000000000000e+00
    RHS       home_5_2_4   0.000000000000e+00
    RHS       home_5_2_5   0.000000000000e+00
    RHS       home_5_2_6   0.000000000000e+00
    RHS       home_5_2_7   0.000000000000e+00
    RHS       home_5_3_0   0.000000000000e+00
    RHS       home_5_3_1   0.000000000000e+00
    RHS       home_5_3_2   0.000000000000e+00
    RHS       home_5_3_3   0.000000000000e+00
    RHS       home_5_3_4   0.000000000000e+00
    RHS       home_5_3_5   0.000000000000e+00
    RHS       home_5_3_6   0.000000000000e+00
    RHS       home_5_3_7   0.000000000000e+00
    RHS       home_6_2_0   0.000000000000e+00
    RHS       home_6_2_1   0.000000000000e+00
    RHS       home_6_2_2   0.000000000000e+00
    RHS       home_6_2_3   0.000000000000e+00
    RHS       home_6_2_4   0.000000000000e+00
    RHS       home_6_2_5   0.000000000000e+00
    RHS       home_6_2_6   0.000000000000e+00
    RHS       home_6_2_7   0.000000000000e+00
    RHS       home_6_3_0   0.000000000000e+00
    RHS       home_6_3_1   0.000000000000e+00
    RHS       home_6_3_2   0.000000000000e+00
    RHS       home_6_3_3   0.000000000000e+00
    RHS       home_6_3_4   0.000000000000e+00
    RHS       home_6_3_5   0.000000000000e+00
    RHS       home_6_3_6   0.000000000000e+00
    RHS       home_6_3_7   0.000000000000e+00
    RHS       home_7_1_0   0.000000000000e+00
    RHS       home_7_1_1   0.000000000000e+00
    RHS       home_7_1_2   0.000000000000e+00
    RHS       home_7_1_3   0.000000000000e+00
    RHS       home_7_1_4   0.000000000000e+00
    RHS       home_7_1_5   0.000000000000e+00
    RHS       home_7_1_6   0.000000000000e+00
    RHS       home_7_1_7   0.000000000000e+00
    RHS       home_7_2_0   0.000000000000e+00
    RHS       home_7_2_1   0.000000000000e+00
    RHS       home_7_2_2   0.000000000000e+00
    RHS       home_7_2_3   0.000000000000e+00
    RHS       home_7_2_4   0.000000000000e+00
    RHS       home_7_2_5   0.000000000000e+00
    RHS       home_7_2_6   0.000000000000e+00
    RHS       home_7_2_7   0.000000000000e+00
    RHS       home_7_3_0   0.000000000000e+00
    RHS       home_7_3_1   0.000000000000e+00
    RHS       home_7_3_2   0.000000000000e+00
    RHS       home_7_3_3   0.000000000000e+00
    RHS       home_7_3_4   0.000000000000e+00
    RHS       home_7_3_5   0.000000000000e+00
    RHS       home_7_3_6   0.000000000000e+00
    RHS       home_7_3_7   0.000000000000e+00
    RHS       home_8_1_0   0.000000000000e+00
    RHS       home_8_1_1   0.000000000000e+00
    RHS       home_8_1_2   0.000000000000e+00
    RHS       home_8_1_3   0.000000000000e+00
    RHS       home_8_1_4   0.000000000000e+00
    RHS       home_8_1_5   0.000000000000e+00
    RHS       home_8_1_6   0.000000000000e+00
    RHS       home_8_1_7   0.000000000000e+00
    RHS       home_8_2_0   0.000000000000e+00
    RHS       home_8_2_1   0.000000000000e+00
    RHS       home_8_2_2   0.000000000000e+00
    RHS       home_8_2_3   0.000000000000e+00
    RHS       home_8_2_4   0.000000000000e+00
    RHS       home_8_2_5   0.000000000000e+00
    RHS       home_8_2_6   0.000000000000e+00
    RHS       home_8_2_7   0.000000000000e+00
    RHS       home_8_3_0   0.000000000000e+00
    RHS       home_8_3_1   0.000000000000e+00
    RHS       home_8_3_2   0.000000000000e+00
    RHS       home_8_3_3   0.000000000000e+00
    RHS       home_8_3_4   0.000000000000e+00
    RHS       home_8_3_5   0.000000000000e+00
    RHS       home_8_3_6   0.000000000000e+00
    RHS       home_8_3_7   0.000000000000e+00
    RHS       home_9_1_0   0.000000000000e+00
    RHS       home_9_1_1   0.000000000000e+00
    RHS       home_9_1_2   0.000000000000e+00
    RHS       home_9_1_3   0.000000000000e+00
    RHS       home_9_1_4   0.000000000000e+00
    RHS       home_9_1_5   0.000000000000e+00
    RHS       home_9_1_6   0.000000000000e+00
    RHS       home_9_1_7   0.000000000000e+00
    RHS       home_9_2_0   0.000000000000e+00
    RHS       home_9_2_1   0.000000000000e+00
    RHS       home_9_2_2   0.000000000000e+00
    RHS       home_9_2_3   0.000000000000e+00
    RHS       home_9_2_4   0.000000000000e+00
    RHS       home_9_2_5   0.000000000000e+00
    RHS       home_9_2_6   0.000000000000e+00
    RHS       home_9_2_7   0.000000000000e+00
    RHS       home_9_3_0   0.000000000000e+00
    RHS       home_9_3_1   0.000000000000e+00
    RHS       home_9_3_2   0.000000000000e+00
    RHS       home_9_3_3   0.000000000000e+00
    RHS       home_9_3_4   0.000000000000e+00
    RHS       home_9_3_5   0.000000000000e+00
    RHS       home_9_3_6   0.000000000000e+00
    RHS       home_9_3_7   0.000000000000e+00
    RHS       home_10_1_0   0.000000000000e+00
    RHS       home_10_1_1   0.000000000000e+00
    RHS       home_10_1_2   0.000000000000e+00
    RHS       home_10_1_3   0.000000000000e+00
    RHS       home_10_1_4   0.000000000000e+00
    RHS       home_10_1_5   0.000000000000e+00
    RHS       home_10_1_6   0.000000000000e+00
    RHS       home_10_1_7   0.000000000000e+00
    RHS       home_10_2_0   0.000000000000e+00
    RHS       home_10_2_1   0.000000000000e+00
    RHS       home_10_2_2   0.000000000000e+00
    RHS       home_10_2_3   0.000000000000e+00
    RHS       home_10_2_4   0.000000000000e+00
    RHS       home_10_2_5   0.000000000000e+00
    RHS       home_10_2_6   0.000000000000e+00
    RHS       home_10_2_7   0.000000000000e+00
    RHS       home_10_3_0   0.000000000000e+00
    RHS       home_10_3_1   0.000000000000e+00
    RHS       home_10_3_2   0.000000000000e+00
    RHS       home_10_3_3   0.000000000000e+00
    RHS       home_10_3_4   0.000000000000e+00
    RHS       home_10_3_5   0.000000000000e+00
    RHS       home_10_3_6   0.000000000000e+00
    RHS       home_10_3_7   0.000000000000e+00
    RHS       home_11_1_0   0.000000000000e+00
    RHS       home_11_1_1   0.000000000000e+00
    RHS       home_11_1_2   0.000000000000e+00
    RHS       home_11_1_3   0.000000000000e+00
    RHS       home_11_1_4   0.000000000000e+00
    RHS       home_11_1_5   0.000000000000e+00
    RHS       home_11_1_6   0.000000000000e+00
    RHS       home_11_1_7   0.000000000000e+00
    RHS       home_11_2_0   0.000000000000e+00
    RHS       home_11_2_1   0.000000000000e+00
    RHS       home_11_2_2   0.000000000000e+00
    RHS       home_11_2_3   0.000000000000e+00
    RHS       home_11_2_4   0.000000000000e+00
    RHS       home_11_2_5   0.000000000000e+00
    RHS       home_11_2_6   0.000000000000e+00
    RHS       home_11_2_7   0.000000000000e+00
    RHS       home_11_3_0   0.000000000000e+00
    RHS       home_11_3_1   0.000000000000e+00
    RHS       home_11_3_2   0.000000000000e+00
    RHS       home_11_3_3   0.000000000000e+00
    RHS       home_11_3_4   0.000000000000e+00
    RHS       home_11_3_5   0.000000000000e+00
    RHS       home_11_3_6   0.000000000000e+00
    RHS       home_11_3_7   0.000000000000e+00
BOUNDS
 LO BND       T          9.900000000000e+02
 UP BND       T          1.077000000000e+03
 BV BND       x_0_1_0 
 BV BND       x_0_1_1 
 BV BND       x_0_1_2 
 BV BND       x_0_1_3 
 BV BND       x_0_1_4 
 BV BND       x_0_1_5 
 BV BND       x_0_1_6 
 BV BND       x_0_1_7 
 BV BND       x_0_2_0 
 BV BND       x_0_2_1 
 BV BND       x_0_2_2 
 BV BND       x_0_2_3 
 BV BND       x_0_2_4 
 BV BND       x_0_2_5 
 BV BND       x_0_2_6 
 BV BND       x_0_2_7 
 BV BND       x_0_3_0 
 BV BND       x_0_3_1 
 BV BND       x_0_3_2 
 BV BND       x_0_3_3 
 BV BND       x_0_3_4 
 BV BND       x_0_3_5 
 BV BND       x_0_3_6 
 BV BND       x_0_3_7 
 BV BND       x_10_1_0
 BV BND       x_10_1_1
 BV BND       x_10_1_2
 BV BND       x_10_1_3
 BV BND       x_10_1_4
 BV BND       x_10_1_5
 BV BND       x_10_1_6
 BV BND       x_10_1_7
 BV BND       x_10_2_0
 BV BND       x_10_2_1
 BV BND       x_10_2_2
 BV BND       x_10_2_3
 BV BND       x_10_2_4
 BV BND       x_10_2_5
 BV BND       x_10_2_6
 BV BND       x_10_2_7
 BV BND       x_10_3_0
 BV BND       x_10_3_1
 BV BND       x_10_3_2
 BV BND       x_10_3_3
 BV BND       x_10_3_4
 BV BND       x_10_3_5
 BV BND       x_10_3_6
 BV BND       x_10_3_7
 BV BND       x_11_1_0
 BV BND       x_11_1_1
 BV BND       x_11_1_2
 BV BND       x_11_1_3
 BV BND       x_11_1_4
 BV BND       x_11_1_5
 BV BND       x_11_1_6
 BV BND       x_11_1_7
 BV BND       x_11_2_0
 BV BND       x_11_2_1
 BV BND       x_11_2_2
 BV BND       x_11_2_3
 BV BND       x_11_2_4
 BV BND       x_11_2_5
 BV BND       x_11_2_6
 BV BND       x_11_2_7
 BV BND       x_11_3_0
 BV BND       x_11_3_1
 BV BND       x_11_3_2
 BV BND       x_11_3_3
 BV BND       x_11_3_4
 BV BND       x_11_3_5
 BV BND       x_11_3_6
 BV BND       x_11_3_7
 BV BND       x_1_1_0 
 BV BND       x_1_1_1 
 BV BND       x_1_1_2 
 BV BND       x_1_1_3 
 BV BND       x_1_1_4 
 BV BND       x_1_1_5 
 BV BND       x_1_1_6 
 BV BND       x_1_1_7 
 BV BND       x_1_2_0 
 BV BND       x_1_2_1 
 BV BND       x_1_2_2 
 BV BND       x_1_2_3 
 BV BND       x_1_2_4 
 BV BND       x_1_2_5 
 BV BND       x_1_2_6 
 BV BND       x_1_2_7 
 BV BND       x_1_3_0 
 BV BND       x_1_3_1 
 BV BND       x_1_3_2 
 BV BND       x_1_3_3 
 BV BND       x_1_3_4 
 BV BND       x_1_3_5 
 BV BND       x_1_3_6 
 BV BND       x_1_3_7 
 BV BND       x_2_1_0 
 BV BND       x_2_1_1 
 BV BND       x_2_1_2 
 BV BND       x_2_1_3 
 BV BND       x_2_1_4 
 BV BND       x_2_1_5 
 BV BND       x_2_1_6 
 BV BND       x_2_1_7 
 BV BND       x_2_2_0 
 BV BND       x_2_2_1 
 BV BND       x_2_2_2 
 BV BND       x_2_2_3 
 BV BND       x_2_2_4 
 BV BND       x_2_2_5 
 BV BND       x_2_2_6 
 BV BND       x_2_2_7 
 BV BND       x_2_3_0 
 BV BND       x_2_3_1 
 BV BND       x_2_3_2 
 BV BND       x_2_3_3 
 BV BND       x_2_3_4 
 BV BND       x_2_3_5 
 BV BND       x_2_3_6 
 BV BND       x_2_3_7 
 BV BND       x_3_1_0 
 BV BND       x_3_1_1 
 BV BND       x_3_1_2 
 BV BND       x_3_1_3 
 BV BND       x_3_1_4 
 BV BND       x_3_1_5 
 BV BND       x_3_1_6 
 BV BND       x_3_1_7 
 BV BND       x_3_2_0 
 BV BND       x_3_2_1 
 BV BND       x_3_2_2 
 BV BND       x_3_2_3 
 BV BND       x_3_2_4 
 BV BND       x_3_2_5 
 BV BND       x_3_2_6 
 BV BND       x_3_2_7 
 BV BND       x_3_3_0 
 BV BND       x_3_3_1 
 BV BND       x_3_3_2 
 BV BND       x_3_3_3 
 BV BND       x_3_3_4 
 BV BND       x_3_3_5 
 BV BND       x_3_3_6 
 BV BND       x_3_3_7 
 BV BND       x_4_1_0 
 BV BND       x_4_1_1 
 BV BND       x_4_1_2 
 BV BND       x_4_1_3 
 BV BND       x_4_1_4 
 BV BND       x_4_1_5 
 BV BND       x_4_1_6 
 BV BND       x_4_1_7 
 BV BND       x_4_2_0 
 BV BND       x_4_2_1 
 BV BND       x_4_2_2 
 BV BND       x_4_2_3 
 BV BND       x_4_2_4 
 BV BND       x_4_2_5 
 BV BND       x_4_2_6 
 BV BND       x_4_2_7 
 BV BND       x_4_3_0 
 BV BND       x_4_3_1 
 BV BND       x_4_3_2 
 BV BND       x_4_3_3 
 BV BND       x_4_3_4 
 BV BND       x_4_3_5 
 BV BND       x_4_3_6 
 BV BND       x_4_3_7 
 BV BND       x_5_2_0 
 BV BND       x_5_2_1 
 BV BND       x_5_2_2 
 BV BND       x_5_2_3 
 BV BND       x_5_2_4 
 BV BND       x_5_2_5 
 BV BND       x_5_2_6 
 BV BND       x_5_2_7 
 BV BND       x_5_3_0 
 BV BND       x_5_3_1 
 BV BND       x_5_3_2 
 BV BND       x_5_3_3 
 BV BND       x_5_3_4 
 BV BND       x_5_3_5 
 BV BND       x_5_3_6 
 BV BND       x_5_3_7 
 BV BND       x_6_2_0 
 BV BND       x_6_2_1 
 BV BND       x_6_2_2 
 BV BND       x_6_2_3 
 BV BND       x_6_2_4 
 BV BND       x_6_2_5 
 BV BND       x_6_2_6 
 BV BND       x_6_2_7 
 BV BND       x_6_3_0 
 BV BND       x_6_3_1 
 BV BND       x_6_3_2 
 BV BND       x_6_3_3 
 BV BND       x_6_3_4 
 BV BND       x_6_3_5 
 BV BND       x_6_3_6 
 BV BND       x_6_3_7 
 BV BND       x_7_1_0 
 BV BND       x_7_1_1 
 BV BND       x_7_1_2 
 BV BND       x_7_1_3 
 BV BND       x_7_1_4 
 BV BND       x_7_1_5 
 BV BND       x_7_1_6 
 BV BND       x_7_1_7 
 BV BND       x_7_2_0 
 BV BND       x_7_2_1 
 BV BND       x_7_2_2 
 BV BND       x_7_2_3 
 BV BND       x_7_2_4 
 BV BND       x_7_2_5 
 BV BND       x_7_2_6 
 BV BND       x_7_2_7 
 BV BND       x_7_3_0 
 BV BND       x_7_3_1 
 BV BND       x_7_3_2 
 BV BND       x_7_3_3 
 BV BND       x_7_3_4 
 BV BND       x_7_3_5 
 BV BND       x_7_3_6 
 BV BND       x_7_3_7 
 BV BND       x_8_1_0 
 BV BND       x_8_1_1 
 BV BND       x_8_1_2 
 BV BND       x_8_1_3 
 BV BND       x_8_1_4 
 BV BND       x_8_1_5 
 BV BND       x_8_1_6 
 BV BND       x_8_1_7 
 BV BND       x_8_2_0 
 BV BND       x_8_2_1 
 BV BND       x_8_2_2 
 BV BND       x_8_2_3 
 BV BND       x_8_2_4 
 BV BND       x_8_2_5 
 BV BND       x_8_2_6 
 BV BND       x_8_2_7 
 BV BND       x_8_3_0 
 BV BND       x_8_3_1 
 BV BND       x_8_3_2 
 BV BND       x_8_3_3 
 BV BND       x_8_3_4 
 BV BND       x_8_3_5 
 BV BND       x_8_3_6 
 BV BND       x_8_3_7 
 BV BND       x_9_1_0 
 BV BND       x_9_1_1 
 BV BND       x_9_1_2 
 BV BND       x_9_1_3 
 BV BND       x_9_1_4 
 BV BND       x_9_1_5 
 BV BND       x_9_1_6 
 BV BND       x_9_1_7 
 BV BND       x_9_2_0 
 BV BND       x_9_2_1 
 BV BND       x_9_2_2 
 BV BND       x_9_2_3 
 BV BND       x_9_2_4 
 BV BND       x_9_2_5 
 BV BND       x_9_2_6 
 BV BND       x_9_2_7 
 BV BND       x_9_3_0 
 BV BND       x_9_3_1 
 BV BND       x_9_3_2 
 BV BND       x_9_3_3 
 BV BND       x_9_3_4 
 BV BND       x_9_3_5 
 BV BND       x_9_3_6 
 BV BND       x_9_3_7 
 BV BND       y_0_1   
 BV BND       y_0_2   
 BV BND       y_0_3   
 BV BND       y_10_1  
 BV BND       y_10_2  
 BV BND       y_10_3  
 BV BND       y_11_1  
 BV BND       y_11_2  
 BV BND       y_11_3  
 BV BND       y_1_1   
 BV BND       y_1_2   
 BV BND       y_1_3   
 BV BND       y_2_1   
 BV BND       y_2_2   
 BV BND       y_2_3   
 BV BND       y_3_1   
 BV BND       y_3_2   
 BV BND       y_3_3   
 BV BND       y_4_1   
 BV BND       y_4_2   
 BV BND       y_4_3   
 BV BND       y_5_2   
 BV BND       y_5_3   
 BV BND       y_6_2   
 BV BND       y_6_3   
 BV BND       y_7_1   
 BV BND       y_7_2   
 BV BND       y_7_3   
 BV BND       y_8_1   
 BV BND       y_8_2   
 BV BND       y_8_3   
 BV BND       y_9_1   
 BV BND       y_9_2   
 BV BND       y_9_3   
 BV BND       z_0_0   
 BV BND       z_0_1   
 BV BND       z_1_0   
 BV BND       z_1_1   
 BV BND       z_2_0   
 BV BND       z_2_1   
 BV BND       z_3_0   
 BV BND       z_3_1   
ENDATA
